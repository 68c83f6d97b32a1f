"""The files to train with: who reads them, what they hold, and where each pair is from."""

import hashlib
import json
import re

import pytest
from gen_world import CHILD, FAILS, PASSES, GenWorld, diff, gen_row, made, sample, uri_of
from pyarrow.parquet import ParquetFile

from swe_workloads.examples import Example, read_example
from swe_workloads.formats import CONVERT
from swe_workloads.instances import pro_prompt
from swe_workloads.preferences import is_chat
from swe_workloads.rows import BadRow, Row, read_rows

CHATS = ("preferences-chat.jsonl", "preferences.parquet")


def read_back(gen: GenWorld, name: str, row_format: str) -> list[Example | BadRow]:
    """As TrainingRun reads the file."""
    path = gen.endpoint.prefix / "report/pod-9" / name
    return [
        item if isinstance(item, BadRow) else read_example(item, CONVERT[row_format]) for item in read_rows(path, name)
    ]


@pytest.mark.parametrize("name", [*CHATS, "preferences.jsonl", "train.jsonl", "test.jsonl"])
def test_training_reads_every_exported_pair(gen: GenWorld, name: str) -> None:
    made(gen)
    read = read_back(gen, name, "Preferences")
    assert read and not [item for item in read if isinstance(item, BadRow)]
    assert {is_chat(item) for item in read if isinstance(item, Example)} == {name in CHATS}
    assert all(isinstance(item, Example) and item.instance and item.repository for item in read)


def test_the_pairs_in_columns_are_those_in_lines(gen: GenWorld) -> None:
    made(gen)
    path = gen.endpoint.prefix / "report/pod-9/preferences.parquet"
    rows = [row.fields for row in read_rows(path, path.name) if isinstance(row, Row)]
    assert rows == gen.exported("preferences-chat.jsonl") and rows


def test_without_pairs_the_columns_have_their_types(gen: GenWorld) -> None:
    gen.samples = [sample(1, diff("x"))]
    gen.prepare()
    gen.grade({})
    gen.report()
    schema = ParquetFile(gen.endpoint.prefix / "report/pod-9/preferences.parquet").schema_arrow
    assert schema.names == ["prompt", "chosen", "rejected", "instance_id", "repo"]
    assert str(schema.field("chosen").type) == "list<element: struct<role: string, content: string>>"


def test_training_reads_every_answer_that_resolves(gen: GenWorld) -> None:
    made(gen)
    read = read_back(gen, "sft.jsonl", "PromptCompletion")
    assert read and not [item for item in read if isinstance(item, BadRow)]


def test_what_is_asked_and_answered_is_what_is_learnt_of_the_same_instances(gen: GenWorld) -> None:
    good, bad = diff("    return a + b"), diff("    return a * b")
    gen.samples = [sample(1, good.removesuffix("\n"), at=1), sample(1, bad, at=2)]
    gen.prepare()
    gen.grade({good.removesuffix("\n"): PASSES, bad: FAILS})
    gen.report()
    [line], [chat] = gen.exported(), gen.exported("preferences-chat.jsonl")
    prompt = pro_prompt("team/lib", "add subtracts")
    assert line == {
        "prompt": prompt, "chosen": good, "rejected": bad, "instance_id": "team__lib-1", "repo": "team/lib",
    }  # fmt: skip
    learnt = read_example(Row("rows.jsonl", 1, gen_row(1)), CONVERT["SWEBench"])
    assert isinstance(learnt, Example)
    assert chat["prompt"] == learnt.record["prompt"]
    assert (chat["chosen"], chat["rejected"]) == (
        [{"role": "assistant", "content": good}],
        [{"role": "assistant", "content": bad}],
    )


def test_every_pair_is_traceable_to_the_samples_the_patches_and_the_verdicts_it_is_made_of(gen: GenWorld) -> None:
    made(gen)
    lines, origins = gen.exported(), gen.exported("provenance.jsonl")
    assert [one["line"] for one in origins] == list(range(1, len(lines) + 1)) and lines
    patches = {
        (one["instance_id"], one["sample"]): one["model_patch"] for one in gen.lines("data/pod-1/predictions.jsonl")
    }
    merged = {(one["instance_id"], one["sample"]): one for one in gen.lines("data/pod-1/samples.jsonl")}
    for line, origin in zip(lines, origins, strict=True):
        assert origin["instance_id"] == line["instance_id"]
        assert origin["prompt_sha256"] == hashlib.sha256(line["prompt"].encode()).hexdigest()
        assert (origin["evaluation"], origin["image"]) == (
            {"name": "pairs-eval", "uid": CHILD},
            "registry/lib@sha256:0a1b",
        )
        assert origin["instances"]["uri"] == "configMap:rows.jsonl" and origin["predictions"]["sha256"]
        for side, state in (("chosen", {"Resolved"}), ("rejected", {"Unresolved"})):
            told = origin[side]
            patch = patches[line["instance_id"], told["prediction"]]
            assert told["patch_sha256"] == hashlib.sha256(patch.encode()).hexdigest()
            assert told["sha256"] == hashlib.sha256(line[side].encode()).hexdigest()
            assert told["verdict"]["state"] in state and told["verdict"]["ordinal"] is not None
            assert told["samples"]
            for one in told["samples"]:
                assert merged[line["instance_id"], one["sample"]]["prediction"] == told["prediction"]


@pytest.mark.parametrize(("by", "column"), [("Instance", "instance_id"), ("Repository", "repo")])
def test_an_instance_or_a_repository_is_never_on_both_sides_of_the_split(gen: GenWorld, by: str, column: str) -> None:
    gen.document["split"]["by"] = by
    made(gen)
    train, test = ({line[column] for line in gen.exported(name)} for name in ("train.jsonl", "test.jsonl"))
    assert train and test and not train & test
    together = [*gen.exported("train.jsonl"), *gen.exported("test.jsonl")]
    assert sorted(map(json.dumps, together)) == sorted(map(json.dumps, gen.exported()))


def test_without_a_split_there_are_no_sides(gen: GenWorld) -> None:
    del gen.document["split"]
    made(gen)
    summary = gen.report().summary
    assert summary is not None and (summary.train_pairs, summary.test_pairs) == (None, None)
    assert not (gen.endpoint.prefix / "report/pod-9/train.jsonl").exists()


def test_pairs_of_one_group_alone_leave_none_to_test_and_that_is_said(gen: GenWorld) -> None:
    good, bad = diff("    return a + b"), diff("    return a * b")
    gen.samples = [sample(1, good, at=1), sample(1, bad, at=2)]
    gen.prepare()
    gen.grade({good: PASSES, bad: FAILS})
    verdict = gen.report()
    assert verdict.message.endswith(
        "1 to train, 0 to test. All pairs are of one group, so that spec.split leaves none to test."
    )


def test_equal_inputs_make_equal_bytes_in_whatever_order_their_rows_come(gen: GenWorld) -> None:
    made(gen)
    first = {path.name: path.read_bytes() for path in (gen.endpoint.prefix / "report/pod-9").iterdir()}
    for manifest in ("data/manifest.json", "report/manifest.json"):
        (gen.endpoint.prefix / manifest).unlink()
    for path in (gen.endpoint.prefix / "data/pod-1").iterdir():
        path.unlink()
    gen.rows.reverse()
    gen.samples = sorted(gen.samples, key=lambda one: hashlib.sha256(json.dumps(one).encode()).hexdigest())
    gen.prepare()
    results = gen.endpoint.objects / uri_of("results.jsonl").removeprefix("s3://")
    results.write_text("".join(reversed(results.read_text().splitlines(keepends=True))))
    gen.report("pod-8")
    second = {path.name: path.read_bytes() for path in (gen.endpoint.prefix / "report/pod-8").iterdir()}
    assert set(first) == set(second)
    # The digests of the sources are others: they name the files as they were read.
    changed = re.compile(rb"[0-9a-f]{64}")
    assert [name for name in first if changed.sub(b"", first[name]) != changed.sub(b"", second[name])] == []


def test_another_seed_makes_other_pairs(gen: GenWorld) -> None:
    good = {diff(f"    return {at} or a + b"): PASSES for at in range(6)}
    bad = {diff(f"    return {at} or a * b"): FAILS for at in range(6)}
    gen.samples = [sample(1, patch, at=at) for at, patch in enumerate([*good, *bad], 1)]
    gen.prepare()
    gen.grade({**good, **bad})
    gen.report()
    (gen.endpoint.prefix / "report/manifest.json").unlink()
    gen.document["pairs"]["seed"] = 43
    gen.report("pod-8")
    assert gen.exported() != gen.exported(uid="pod-8")
    assert gen.exported("sft.jsonl") != gen.exported("sft.jsonl", "pod-8")


def test_of_answers_that_resolve_at_most_three_of_an_instance_are_learnt(gen: GenWorld) -> None:
    good = {diff(f"    return {at} or a + b"): PASSES for at in range(6)}
    gen.samples = [sample(1, patch, at=at) for at, patch in enumerate(good, 1)] + [sample(2, diff("x"), at=1)]
    gen.prepare()
    gen.grade({**good, diff("x"): PASSES})
    summary = gen.report().summary
    assert summary is not None and (summary.sft_rows, summary.pairs) == (4, 0)
    assert [line["instance_id"] for line in gen.exported("sft.jsonl")] == [*["team__lib-1"] * 3, "team__lib-2"]
    assert {line["completion"] for line in gen.exported("sft.jsonl")} <= {*good, diff("x")}
