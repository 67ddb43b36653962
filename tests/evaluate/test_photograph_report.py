"""The report on photographs."""

from npfill.evaluate.photographs import Measured, as_markdown


def test_a_score_that_no_completer_has_gets_no_table() -> None:
    scores = {"telea": {"text": {"psnr": 25.0, "ssim": 0.9}, "scratches": {}}}
    measured = Measured("here", 2, 0, {"telea": ""}, ("text", "scratches"), scores)
    lines = as_markdown(measured, "npfill evaluate telea --photos").splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## PSNR in the hole, dB",
        "## SSIM in the hole",
    ]
    assert "| text | 25.00 |" in lines
    assert "| scratches |  |" in lines
