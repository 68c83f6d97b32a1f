"""Prompts on their way: made once by whoever is first, asked, and learnt from as they were asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from fake_artifact_endpoint import FakeEndpoint
from fake_chat_api import FakeChatApi
from gen_world import FAILS, PASSES, GenWorld, diff, gen_row, sample
from generation_world import GenerationWorld, PodMaker

from swe_workloads.exit_codes import Failure

CODE = {"file_contents": {"lib.py": "def add(a, b):\n    return a - b\n"}, "readmes": {}}


@pytest.fixture
def world(tmp_path: Path, endpoint: FakeEndpoint, pod_of: PodMaker, chat_api: FakeChatApi) -> GenerationWorld:
    made = GenerationWorld(tmp_path, endpoint, pod_of, chat_api)
    made.document["prompt"]["style"] = "Style3"
    made.rows = [gen_row(number, **CODE) for number in (1, 2, 3)]
    return made


def asked(world: GenerationWorld) -> set[str]:
    return {body["messages"][0]["content"] for body in world.api.asked}


def with_template(document: dict[str, Any], folder: Path, text: str) -> None:
    (folder / "prompt.txt").write_text(text)
    document["prompt"] |= {"style": "Custom", "templateFile": str(folder / "prompt.txt")}


def test_a_model_is_asked_in_the_style_that_is_wanted_and_the_prompts_are_kept(world: GenerationWorld) -> None:
    assert world.summary().instances == 3
    [prompt] = asked(world)
    assert "<issue>\nadd subtracts\n</issue>\n\n<code>\n\n[start of lib.py]\n1 def add(a, b):\n" in prompt
    assert {(line["instance_id"], line["prompt"]) for line in world.lines("prompts.jsonl")} == {
        (f"team__lib-{number}", prompt) for number in (1, 2, 3)
    }


def test_instances_without_code_are_bad_rows_and_the_others_are_asked(world: GenerationWorld) -> None:
    world.rows[1] = gen_row(2, image="localhost/team/lib:1")
    summary = world.summary()
    assert (summary.instances, summary.samples, summary.bad_rows) == (2, 8, 1)
    [bad] = world.lines("bad-rows.jsonl")
    assert bad["row"] == 2 and bad["reason"] == "the code of localhost/team/lib:1 cannot be read: it is in no registry"


def test_only_instances_without_code_are_refused_before_anybody_is_asked(world: GenerationWorld) -> None:
    world.rows = [gen_row(1, image="localhost/team/lib:1"), gen_row(2, **CODE)]
    world.document["instances"]["select"] |= {"instanceIds": ["team__lib-1"]}
    verdict = world.generate()
    assert verdict.exit_code == 65 and world.api.asked == []
    assert "spec.instances: none of the selected rows can be used. The first, row 1 of rows.jsonl:" in verdict.message


def test_files_that_prompts_have_no_room_for_are_counted_and_named(world: GenerationWorld) -> None:
    world.document["prompt"]["codeTokens"] = 3
    verdict = world.generate()
    assert verdict.summary is not None and verdict.summary.code_files_cut == 3
    assert "Files that prompts had no room for (spec.promptCodeTokens): 3." in verdict.message
    assert [line["cut"] for line in world.lines("prompts.jsonl")] == [["lib.py"]] * 3


def test_what_was_asked_in_another_way_is_asked_again(world: GenerationWorld) -> None:
    world.generate()
    (world.endpoint.prefix / "samples/manifest.json").unlink()
    world.document["prompt"]["style"] = "Style2"
    world.generate("pod-2")
    assert len(world.api.asked) == 24 and len(asked(world)) == 2


def test_a_template_that_cannot_be_used_asks_nobody(world: GenerationWorld) -> None:
    with_template(world.document, world.folder, "Mend {issue}")
    with pytest.raises(Failure, match=r"spec.promptTemplate: {issue} is no placeholder"):
        world.generate()
    assert world.api.asked == []


def test_pairs_are_learnt_with_the_prompts_that_were_asked_whatever_the_template_says_since(
    world: GenerationWorld, gen: GenWorld
) -> None:
    good, bad = diff("    return a + b"), diff("    return a * b")
    world.api.answer = lambda body: good if int(body["seed"]) % 2 else bad
    world.document["sampling"]["samplesPerInstance"] = 8
    with_template(world.document, world.folder, "Mend {repo}: {problem_statement} as {instance_id}")
    world.generate()
    gen.rows, gen.document["prompt"] = world.rows, world.document["prompt"]
    gen.samples = world.lines("predictions.jsonl")
    with_template(gen.document, gen.folder, "something else")
    gen.prepare()
    gen.grade({good: PASSES, bad: FAILS})
    gen.report()
    pairs = gen.exported()
    assert len(pairs) == 3
    assert (
        {pair["prompt"] for pair in pairs}
        == asked(world)
        == {f"Mend team/lib: add subtracts as team__lib-{n}" for n in (1, 2, 3)}
    )
    assert gen.exported("preferences-chat.jsonl")[0]["prompt"][0]["content"] == pairs[0]["prompt"]


def test_samples_that_were_brought_are_learnt_with_prompts_of_the_style(gen: GenWorld) -> None:
    good, bad = diff("    return a + b"), diff("    return a * b")
    gen.rows = [gen_row(1, **CODE), *(gen_row(number, image="localhost/team/lib:1") for number in (2, 3))]
    gen.samples = [sample(1, good, at=1), sample(1, bad, at=2), sample(2, good)]
    gen.document["prompt"]["style"] = "Style2"
    summary = gen.summary()
    # Nobody made a sample for the third, so that nothing is asked of it.
    assert (summary.instances, summary.bad_rows, summary.bad_predictions) == (1, 1, 1)
    gen.grade({good: PASSES, bad: FAILS})
    gen.report()
    [pair] = gen.exported()
    assert (
        pair["prompt"].startswith("You will be provided with a partial code base")
        and "2     return a - b" in pair["prompt"]
    )
    assert [json.loads(line)["instance_id"] for line in gen.text("data/pod-1/prompts.jsonl").splitlines()] == [
        "team__lib-1"
    ]


def test_prompts_that_were_changed_after_they_were_sealed_are_refused(world: GenerationWorld, gen: GenWorld) -> None:
    world.generate()
    (world.endpoint.prefix / "samples/pod-1/prompts.jsonl").write_text("{}\n")
    gen.rows, gen.samples = world.rows, [sample(1, diff("x"))]
    with pytest.raises(Failure, match=r"samples/pod-1/prompts.jsonl is another file than the generation sealed"):
        gen.prepare()
