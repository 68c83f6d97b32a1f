"""Code out of images: what the official package would show of the same commit, read once."""

import gzip
import io
import random
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from evaluation.eval_world import smith_row
from evaluation.fake_registry import FakeRegistry
from fake_artifact_endpoint import FakeEndpoint
from fake_chat_api import FakeChatApi
from gen_world import GenWorld, diff, gen_row, sample
from generation_world import GenerationWorld, PodMaker
from official_prompts import official_prompts
from prompting_world import IDENTITY, git, real_rows, repositories

from swe_workloads.exit_codes import ExitCode
from swe_workloads.prompting import image_code
from swe_workloads.prompting.patched import DoesNotApply, patched, sources_of

LIB = "def add(a, b):\n    return a - b\n"


pytestmark = pytest.mark.usefixtures("short_patience_with_layers")


@pytest.fixture
def world(tmp_path: Path, endpoint: FakeEndpoint, pod_of: PodMaker, chat_api: FakeChatApi) -> GenerationWorld:
    made = GenerationWorld(tmp_path, endpoint, pod_of, chat_api)
    made.document["prompt"] = {"style": "Style3", "codeTokens": 1_000_000}
    made.document["allowEvaluationSets"] = True
    made.document["sampling"]["samplesPerInstance"] = 1
    return made


def image(registry: FakeRegistry, name: str = "lib", **contents: str | bytes) -> str:
    """Files below /testbed, __ for a slash and _DOT_ for a dot. Returns its name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in contents.items():
            member = tarfile.TarInfo(f"testbed/{path.replace('__', '/').replace('_DOT_', '.')}")
            told = content.encode() if isinstance(content, str) else content
            member.size = len(told)
            tar.addfile(member, io.BytesIO(told))
    registry.push_layers(f"{name}:1", gzip.compress(packed.getvalue()))
    return f"{registry.host}/{name}:1"


def rows_of(registry: FakeRegistry, **contents: str | bytes) -> list[dict[str, Any]]:
    return [gen_row(number, image=image(registry, **contents), patch=diff("    return a + b")) for number in (1, 2, 3)]


def asked(world: GenerationWorld) -> dict[str, str]:
    return {line["instance_id"]: line["prompt"] for line in world.lines("prompts.jsonl")}


def layers_asked(registry: FakeRegistry) -> int:
    return sum(number for what, number in registry.asked.items() if "/blobs/" in what)


def test_the_prompts_are_the_official_ones_of_the_same_commits(
    world: GenerationWorld, registry: FakeRegistry, tmp_path: Path
) -> None:
    (remotes := tmp_path / "remotes").mkdir()
    world.rows = []
    for row in repositories(real_rows(), remotes):
        work = remotes / f"{row['repo'].replace('/', '__')}.git"
        git(
            work,
            "archive",
            "--format=tar.gz",
            "--prefix=testbed/",
            "--output",
            str(tmp_path / "layer"),
            row["base_commit"],
        )
        name = row["instance_id"].lower()
        registry.push_layers(f"{name}:1", (tmp_path / "layer").read_bytes())
        world.rows.append(gen_row(1, **row, image=f"{registry.host}/{name}:1"))
    assert world.summary().instances == 12
    official = official_prompts("style-3", world.rows, remotes)
    assert asked(world) == {row["instance_id"]: row["text_inputs"] for row in official}


def test_an_image_is_read_once_for_all_its_instances_and_by_no_later_pod(
    world: GenerationWorld, registry: FakeRegistry
) -> None:
    world.rows = rows_of(registry, lib_DOT_py=LIB, README="read me")
    world.generate()
    first = asked(world)
    assert (
        len(first) == 3 and "[start of README]\n1 read me\n[end of README]\n[start of lib.py]" in first["team__lib-1"]
    )
    assert layers_asked(registry) == 1
    (world.endpoint.prefix / "samples/manifest.json").unlink()
    registry.stop()
    world.generate("pod-2")
    assert [line["prompt"] for line in world.lines("prompts.jsonl", "pod-2")] == list(first.values())
    assert len(world.api.asked) == 3


def test_rows_that_bring_code_ask_no_registry(world: GenerationWorld, registry: FakeRegistry) -> None:
    world.rows = [row | {"file_contents": {"lib.py": LIB}} for row in rows_of(registry, lib_DOT_py="other")]
    assert world.summary().instances == 3 and not registry.asked


def test_a_style_without_code_asks_no_registry(world: GenerationWorld, registry: FakeRegistry) -> None:
    world.document["prompt"]["style"] = "Pro"
    world.rows = rows_of(registry, lib_DOT_py=LIB)
    assert world.summary().instances == 3 and not registry.asked


def test_images_come_from_where_the_specification_says(world: GenerationWorld, registry: FakeRegistry) -> None:
    mirrors = [{"prefix": "example.com/", "replacement": f"{registry.host}/"}]
    world.document["prompt"]["images"] = {"mirrors": mirrors}
    image(registry, "a", lib_DOT_py=LIB)
    world.rows = [gen_row(1, image="example.com/a:1", patch=diff("    return a + b"))]
    assert world.summary().instances == 1


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ({"other": "x"}, "its image has no file lib.py, which the patch changes"),
        ({"lib_DOT_py": b"\xff"}, "its file lib.py is no UTF-8 text"),
        ({"lib_DOT_py": LIB, "README": b"\xff"}, "the code of IMAGE cannot be read: its file README is no UTF-8 text"),
    ],
)
def test_an_instance_whose_image_has_not_its_code_is_a_bad_row(
    world: GenerationWorld, registry: FakeRegistry, contents: Mapping[str, str | bytes], reason: str
) -> None:
    good = image(registry, "good", lib_DOT_py=LIB)
    world.rows = rows_of(registry, **contents)
    reason = reason.replace("IMAGE", world.rows[0]["image"])
    world.rows[0]["image"] = good
    summary = world.summary()
    assert (summary.instances, summary.bad_rows) == (1, 2)
    assert {line["reason"] for line in world.lines("bad-rows.jsonl")} == {reason}


def test_a_readme_whose_name_is_no_text_ends_nothing(world: GenerationWorld, registry: FakeRegistry) -> None:
    world.rows = rows_of(registry, lib_DOT_py=LIB, **{"README\udcff": "r"})
    assert world.summary().instances == 3


def test_an_image_that_is_not_there_is_its_instances_trouble(world: GenerationWorld, registry: FakeRegistry) -> None:
    world.rows = rows_of(registry, lib_DOT_py=LIB)
    world.rows[0]["image"] = f"{registry.host}/none:1"
    assert world.summary().bad_rows == 1
    [bad] = world.lines("bad-rows.jsonl")
    assert bad["reason"].endswith("/none:1 cannot be read: the registry has no such image (HTTP 404)")


def test_a_registry_that_is_away_ends_the_program_and_costs_nothing_that_was_read(
    world: GenerationWorld, registry: FakeRegistry
) -> None:
    world.rows = [*rows_of(registry, lib_DOT_py=LIB)[:1], gen_row(2, image="127.0.0.1:9/away:1", patch=diff("x"))]
    failure = world.failure()
    assert failure.code == ExitCode.STORE_UNAVAILABLE
    assert "No code of images can be read: 127.0.0.1:9: " in failure.message and "file_contents" in failure.message
    assert world.api.asked == []
    world.rows[1]["image"] = world.rows[0]["image"]
    assert world.generate("pod-2").exit_code == 0
    world.rows[1:] = []


def images_of(registry: FakeRegistry) -> list[dict[str, Any]]:
    images = [image(registry, f"app{number}", lib_DOT_py=LIB) for number in range(20)]
    return [gen_row(number, image=name, patch=diff("    return a + b")) for number, name in enumerate(images)]


def kept(world: GenerationWorld) -> int:
    return len(list(world.endpoint.prefix.rglob("code-*.jsonl")))


def test_what_is_read_beside_an_image_that_cannot_be_is_kept(world: GenerationWorld, registry: FakeRegistry) -> None:
    world.rows = images_of(registry)
    world.rows[0]["image"] = "127.0.0.1:9/away:1"
    registry.failures = {("/blobs/", 503): 1}
    assert world.failure().code == ExitCode.STORE_UNAVAILABLE
    assert kept(world) == layers_asked(registry) - 1 >= 3


def test_after_any_error_what_is_under_way_is_kept_and_no_other_image_begun(
    world: GenerationWorld, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rows = images_of(registry)
    read, [broken] = image_code._read, [world.rows[0]["image"]]

    def breaking(name: str, *more: Any) -> Any:
        if name == broken:
            raise RuntimeError("out of order")
        time.sleep(0.3)
        return read(name, *more)

    monkeypatch.setattr(image_code, "_read", breaking)
    with pytest.raises(RuntimeError, match="out of order"):
        world.generate()
    assert kept(world) == layers_asked(registry) == image_code.AT_ONCE - 1


def test_the_bug_of_swe_smith_is_put_into_the_code(world: GenerationWorld, registry: FakeRegistry) -> None:
    bug = "--- a/lib.py\n+++ b/lib.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a + b\n+    return a - b\n"
    world.rows = [
        smith_row(
            problem_statement="add subtracts", patch=bug, image_name=image(registry, lib_DOT_py=LIB.replace("-", "+"))
        )
    ]
    world.document["instances"]["format"] = "SWESmith"
    world.generate()
    [prompt] = asked(world).values()
    assert "[start of lib.py]\n1 def add(a, b):\n2     return a - b\n3 \n[end of lib.py]" in prompt


def test_a_bug_that_is_no_change_of_the_code_is_a_bad_row(world: GenerationWorld, registry: FakeRegistry) -> None:
    bug = "--- a/lib.py\n+++ b/lib.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return 7\n+    return a - b\n"
    world.rows = [smith_row(problem_statement="add subtracts", patch=bug, image_name=image(registry, lib_DOT_py=LIB))]
    world.document["instances"]["format"] = "SWESmith"
    verdict = world.generate()
    assert "patch is no change of what its image has: line 1 of lib.py is another one" in verdict.message


def test_samples_that_were_brought_have_code_of_images_too(gen: GenWorld, registry: FakeRegistry) -> None:
    gen.rows = rows_of(registry, lib_DOT_py=LIB)
    gen.samples = [sample(1, diff("    return a + b"))]
    gen.document["prompt"]["style"] = "Style2"
    assert gen.summary().instances == 1
    [line] = gen.lines("data/pod-1/prompts.jsonl")
    assert "2     return a - b" in line["prompt"]


def some_text(chance: random.Random) -> str:
    words = ("a", "b", "", "  c", "--- x", "+++ y", "@@ -1 +1 @@", "\\", "\x0c")
    text = "\n".join(chance.choice(words) for _ in range(chance.randrange(12)))
    return text + ("\n" if text and chance.random() < 0.7 else "")


@pytest.mark.parametrize("seed", range(60))
def test_a_patched_file_is_what_git_makes_of_it(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    before = {"f0.py": some_text(chance), "f1.py": some_text(chance) or "x"}
    after = {"f0.py": some_text(chance), **({"f1.py": before["f1.py"]} if seed % 3 else {"new.py": "n\n"})}
    git(tmp_path, "init", "--quiet")
    for contents in (before, after):
        for path in tmp_path.glob("*.py"):
            path.unlink()
        for name, content in contents.items():
            (tmp_path / name).write_text(content, newline="")
        git(tmp_path, "add", "--all")
        if contents is before:
            git(tmp_path, *IDENTITY, "commit", "--quiet", "--message", "before")
    change = git(tmp_path, "diff", "--cached", "--no-renames", f"--unified={seed % 4}")
    sources = {name: before[name] for name in sources_of(change)}
    assert patched(sources, change) == {name: content for name, content in after.items() if before.get(name) != content}


def test_a_file_that_moves_with_another_mode_and_an_awkward_name_is_patched(tmp_path: Path) -> None:
    names = ("alt ü\t.py", "neu ü\t.py")
    (tmp_path / names[0]).write_text("".join(f"{number}\n" for number in range(20)))
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, *IDENTITY, "commit", "--quiet", "--message", "before")
    before = (tmp_path / names[0]).read_text()
    after = before.replace("7\n", "seven\n")
    (tmp_path / names[0]).rename(tmp_path / names[1])
    (tmp_path / names[1]).write_text(after)
    (tmp_path / names[1]).chmod(0o755)
    git(tmp_path, "add", "--all")
    change = git(tmp_path, "diff", "--cached", "--find-renames")
    assert "new mode 100755" in change and "rename to" in change
    assert sources_of(change) == [names[0]]
    assert patched({names[0]: before}, change) == {names[1]: after}


def test_what_does_not_fit_is_not_patched() -> None:
    with pytest.raises(DoesNotApply, match=r"there is no lib.py"):
        patched({}, diff("x"))
