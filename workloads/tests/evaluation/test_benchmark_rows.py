import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.eval_world import DIFF, END, HARNESS, START, pro_row, smith_row, v5_row
from swe_workloads.evaluation import official
from swe_workloads.evaluation.benchmark_rows import Instance, gold_patch, read_instance
from swe_workloads.evaluation.eval_file import Format
from swe_workloads.evaluation.grade_input import BenchInput, parse_grade_input
from swe_workloads.examples import Unusable
from swe_workloads.rows import Row

REAL_ROWS = Path(__file__).parents[3] / "test/fixtures/swe-bench-rows.jsonl"


def instance(fields: dict[str, Any], row_format: Format = "SWEBench") -> Instance:
    return read_instance(Row("rows.jsonl", 3, fields), row_format, HARNESS)


def refusal(fields: dict[str, Any], row_format: Format = "SWEBench") -> str:
    with pytest.raises(Unusable) as caught:
        instance(fields, row_format)
    return str(caught.value)


def test_a_row_of_version_5_keeps_the_columns_that_grading_needs() -> None:
    found = instance(v5_row())
    assert found.columns == {
        **{
            name: v5_row()[name]
            for name in ("instance_id", "repo", "version", "base_commit", "image", "eval_script", "log_parser")
        },
        "eval_type": "pass_and_fail",
        "FAIL_TO_PASS": ["tests/test_lib.py::test_add"],
        "PASS_TO_PASS": ["tests/test_lib.py::test_sub", "tests/test_lib.py::test_mul[a b]"],
    }
    assert (found.fail_to_pass, found.setup_patch) == (1, None)


@pytest.mark.parametrize("row_format", ["SWEBench", "SWESmith"])
def test_what_is_made_of_a_row_is_what_grade_takes(row_format: Format) -> None:
    found = instance(v5_row() if row_format == "SWEBench" else smith_row(), row_format)
    document: dict[str, Any] = {
        "version": 1,
        "format": row_format,
        "instance": found.columns,
        "prediction": {"instance_id": found.text("instance_id"), "model_name_or_path": "m", "model_patch": DIFF},
        "workdir": "/testbed",
        "timeoutSeconds": 5,
    }
    if found.setup_patch is not None:
        document["setupPatch"] = found.setup_patch
    taken = parse_grade_input(json.dumps(document).encode())
    assert isinstance(taken, BenchInput)
    assert official.eval_script(taken.instance.columns).count(">>>>> Test Exit Code") == 1


@pytest.mark.parametrize("tests", [["a", "b"], '["a", "b"]', "['a', 'b']"])
def test_tests_may_be_a_list_or_be_written_as_one(tests: object) -> None:
    assert instance(v5_row(PASS_TO_PASS=tests)).columns["PASS_TO_PASS"] == ["a", "b"]


@pytest.mark.parametrize("line", REAL_ROWS.read_text().splitlines()[:2])
def test_a_row_from_before_version_5_says_which_columns_it_lacks(line: str) -> None:
    assert refusal(json.loads(line)) == (
        "image, eval_script, log_parser, eval_type are missing: a row from before version 5 of the SWE-bench harness; "
        "take it from a data set published for that"
    )


def test_a_real_row_with_the_columns_of_version_5_is_used_whole() -> None:
    real = json.loads(REAL_ROWS.read_text().splitlines()[0])
    found = instance({**v5_row(), **real})
    assert found.columns["instance_id"] == "django__django-13251"
    assert found.columns["PASS_TO_PASS"] == json.loads(real["PASS_TO_PASS"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": None}, "image is missing"),
        ({"repo": None, "FAIL_TO_PASS": None}, "repo, FAIL_TO_PASS are missing"),
        ({"version": 3.1}, "version must be a string, not float"),
        ({"eval_script": "  "}, "eval_script is empty"),
        ({"eval_script": f"pytest; echo '{START}'"}, f'eval_script never says "{END}", without which'),
        ({"image": "two words"}, "image is no name of an image: two words"),
        ({"image": "i" * 513}, "image is no name of an image: iii"),
        ({"instance_id": "i" * 257}, "instance_id has more than 256 characters"),
        ({"log_parser": "parse_log_cobol"}, "log_parser: the official harness 5.0.2 has no parse_log_cobol"),
        ({"eval_type": "maybe"}, "eval_type must be one of fail_only, pass_and_fail, not maybe"),
        ({"FAIL_TO_PASS": "test_a, test_b"}, "FAIL_TO_PASS is neither a list of tests nor one written as JSON"),
        ({"PASS_TO_PASS": [1, 2]}, "PASS_TO_PASS is neither a list of tests nor one written as JSON"),
        ({"FAIL_TO_PASS": "[]", "PASS_TO_PASS": []}, "FAIL_TO_PASS and PASS_TO_PASS are empty"),
        ({"image_assets": "[]"}, "image_assets is neither an object"),
    ],
)
def test_a_row_that_could_not_be_graded_says_why(changes: dict[str, Any], words: str) -> None:
    assert refusal(v5_row(**changes)).startswith(words)


@pytest.mark.parametrize("assets", ["", "{}", {}, '{"test_patch": [], "patch": null}'])
def test_a_row_without_image_assets_may_say_so(assets: object) -> None:
    found = instance(v5_row(image_assets=assets))
    assert (found.assets, "image_assets" in found.columns) == ((), False)


def test_an_instance_without_tests_to_keep_or_without_tests_to_gain_can_be_graded() -> None:
    assert instance(v5_row(PASS_TO_PASS="[]")).fail_to_pass == 1
    assert instance(v5_row(FAIL_TO_PASS="[]")).fail_to_pass == 0


def test_a_smith_row_becomes_an_instance_that_begins_with_its_bug() -> None:
    found = instance(smith_row(), "SWESmith")
    assert (found.text("repo"), found.text("image")) == ("oauthlib/oauthlib", smith_row()["image_name"])
    assert (found.setup_patch, found.text("log_parser"), found.text("eval_type")) == (
        DIFF,
        "parse_log_pytest",
        "pass_and_fail",
    )
    assert "git checkout HEAD -- tests/test_lib.py\n" in found.text("eval_script")


def test_a_bug_that_lost_its_last_newline_gets_it_back() -> None:
    assert instance(smith_row(patch=DIFF.rstrip("\n")), "SWESmith").setup_patch == DIFF


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image_name": None, "patch": None}, "patch, image_name are missing"),
        ({"log_parser": "parse_log_cobol"}, "log_parser: the official harness 5.0.2 has no parse_log_cobol"),
        ({"FAIL_TO_PASS": [], "PASS_TO_PASS": []}, "FAIL_TO_PASS and PASS_TO_PASS are empty"),
    ],
)
def test_a_smith_row_that_could_not_be_graded_says_why(changes: dict[str, Any], words: str) -> None:
    assert refusal(smith_row(**changes), "SWESmith").startswith(words)


def test_a_pro_row_becomes_what_its_harness_makes_of_it() -> None:
    found = instance(pro_row(), "SWEBenchPro")
    assert found.columns == {
        **{name: pro_row()[name] for name in ("instance_id", "repo", "base_commit", "run_script", "parser")},
        "image": "jefzda/sweap-images:ansible.ansible-ansible__ansible-0ea4-vba6d",
        "environment": "export LANG=C.UTF-8\nexport PATH=/venv/bin:$PATH\n",
        "restore": "git checkout 0ea4 -- test/units/test_lib.py",
        "test_files": ["test/units/test_lib.py", "test/units/test_more.py"],
        "fail_to_pass": ["test/units/test_lib.py::test_add"],
        "pass_to_pass": ["test/units/test_lib.py::test_sub", "test/units/test_lib.py::test_mul[it's]"],
    }
    assert (found.fail_to_pass, found.setup_patch) == (1, None)


def test_a_pro_row_may_name_another_image_and_set_no_variable() -> None:
    found = instance(
        pro_row(image="mirror/pro:1", dockerhub_tag=None, base_dockerfile=None, instance_dockerfile=None), "SWEBenchPro"
    )
    assert (found.text("image"), found.text("environment")) == ("mirror/pro:1", "")


def test_nothing_in_a_pro_row_is_executed() -> None:
    """Its own harness hands these columns to eval()."""
    program = "[__import__('os').abort()]"
    for name in ("fail_to_pass", "pass_to_pass", "selected_test_files_to_run"):
        assert refusal(pro_row(**{name: program}), "SWEBenchPro").startswith(f"{name} is neither a list of ")


BESIDE = ": they lie beside the data set, in run_scripts/<instance_id>/ of scaleapi/SWE-bench_Pro-os; python -m "


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run_script": None, "parser": None}, f"run_script, parser are missing{BESIDE}"),
        ({"parser": None}, f"parser is missing{BESIDE}"),
        ({"dockerhub_tag": None}, "dockerhub_tag is missing"),
        ({"base_commit": "main; rm -r /"}, "base_commit is no commit"),
        ({"dockerhub_tag": "two words"}, "image is no name of an image: jefzda/sweap-images:two words"),
        ({"fail_to_pass": "[]", "pass_to_pass": "[]"}, "fail_to_pass and pass_to_pass are empty"),
        ({"parser": " "}, "parser is empty"),
    ],
)
def test_a_pro_row_that_could_not_be_graded_says_why(changes: dict[str, Any], words: str) -> None:
    assert refusal(pro_row(**changes), "SWEBenchPro").startswith(words)


def test_a_gold_patch_that_lost_its_last_newline_gets_it_back_where_nothing_but_git_is_tried() -> None:
    assert gold_patch(Row("f", 1, pro_row(patch=DIFF.rstrip("\n"))), "SWEBenchPro") == DIFF
    assert gold_patch(Row("f", 1, v5_row(patch=DIFF.rstrip("\n"))), "SWEBench") == DIFF.rstrip("\n")


def test_gold_is_the_patch_of_swe_bench_and_the_bug_turned_round_of_swe_smith() -> None:
    assert gold_patch(Row("f", 1, v5_row()), "SWEBench") == DIFF
    assert "-    return a + b\n+    return a - b\n" in gold_patch(Row("f", 1, smith_row()), "SWESmith")


def test_a_bug_that_cannot_be_turned_round_has_no_gold_patch() -> None:
    binary = "diff --git a/x b/x\nGIT binary patch\nliteral 0\n"
    with pytest.raises(Unusable, match="patch cannot be reversed, so that there is no gold patch: it changes a binary"):
        gold_patch(Row("f", 1, smith_row(patch=binary)), "SWESmith")
    with pytest.raises(Unusable, match=r"patch is missing, and spec\.predictions\.gold and spec\.baseline take"):
        gold_patch(Row("f", 1, v5_row(patch=None)), "SWEBench")


def test_what_the_installed_harness_reads_is_known_without_loading_it_here() -> None:
    from swe_workloads.evaluation.reading import installed_harness

    harness = installed_harness()
    assert harness.markers == (START, END)
    assert (harness.version, HARNESS.parsers <= harness.parsers, HARNESS.eval_types) == (
        "5.0.2",
        True,
        harness.eval_types,
    )
