import json
from pathlib import Path

import pytest

from swe_workloads.evaluation.image_references import parse_reference
from swe_workloads.evaluation.registry_credentials import credentials_for, read_credentials


@pytest.mark.parametrize(
    ("name", "registry", "repository", "tag"),
    [
        ("ubuntu", "docker.io", "library/ubuntu", "latest"),
        ("swebench/app:v1", "docker.io", "swebench/app", "v1"),
        ("index.docker.io/ubuntu:22.04", "docker.io", "library/ubuntu", "22.04"),
        ("ghcr.io/team/a/b:x_1.y", "ghcr.io", "team/a/b", "x_1.y"),
        ("localhost:5000/app", "localhost:5000", "app", "latest"),
        ("swebench/sweb.eval.x86_64.psf_1776_requests-1142", "docker.io", None, "latest"),
    ],
)
def test_a_name_is_read_as_runtimes_read_it(name: str, registry: str, repository: str | None, tag: str) -> None:
    found = parse_reference(name)
    assert found is not None
    assert (found.registry, found.repository, found.tag) == (registry, repository or name, tag)


@pytest.mark.parametrize("name", ["Team/app", "a//b", "app:", "a/../b", "app@sha256:12", "ghcr.io/", "x.y/a:b:c"])
def test_what_no_runtime_takes_is_no_name(name: str) -> None:
    assert parse_reference(name) is None


@pytest.mark.parametrize(
    ("key", "image", "fits"),
    [
        ("https://index.docker.io/v1/", "swebench/app", True),
        ("docker.io", "ubuntu", True),
        ("ghcr.io", "ghcr.io/team/app", True),
        ("ghcr.io/team", "ghcr.io/team/app", True),
        ("ghcr.io/team", "ghcr.io/teammate/app", False),
        ("*.example.com", "images.example.com/app", True),
        ("*.example.com", "a.b.example.com/app", False),
        ("example.com", "images.example.com/app", False),
        ("localhost:5000", "localhost:5001/app", False),
        ("myhost", "swebench/app", False),
    ],
)
def test_a_secret_is_for_the_registry_it_names(key: str, image: str, fits: bool, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"auths": {key: {"username": "u", "password": "p"}}}))
    reference = parse_reference(image)
    assert reference is not None
    assert bool(credentials_for(reference, read_credentials(tmp_path))) == fits


def test_the_longest_path_is_tried_first_and_no_password_is_printed(tmp_path: Path) -> None:
    auths = {key: {"username": key, "password": "pull-password"} for key in ("ghcr.io", "ghcr.io/team", "ghcr.io/x")}
    (tmp_path / "a.json").write_text(json.dumps({"auths": auths}))
    reference = parse_reference("ghcr.io/team/app")
    assert reference is not None
    found = credentials_for(reference, read_credentials(tmp_path))
    assert [one.username for one in found] == ["ghcr.io/team", "ghcr.io"]
    assert "pull-password" not in repr(found)
