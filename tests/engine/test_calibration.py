"""Calibrations as files."""

from pathlib import Path

from advisor.engine.calibration import read_calibration, shipped_calibration, write_section


def test_an_empty_folder_gives_the_defaults(tmp_path: Path) -> None:
    assert read_calibration(tmp_path).serving == {}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_section(tmp_path, "serving", {"offsets": {"matmul": {"": 0.1}}})
    assert read_calibration(tmp_path).serving["offsets"]["matmul"][""] == 0.1


def test_other_parameters_make_another_version(tmp_path: Path) -> None:
    write_section(tmp_path, "serving", {"offsets": {}})
    first = read_calibration(tmp_path).version
    write_section(tmp_path, "serving", {"offsets": {"matmul": {"": 0.1}}})
    assert read_calibration(tmp_path).version != first


def test_the_shipped_calibration_is_read_once() -> None:
    assert shipped_calibration() is shipped_calibration()
