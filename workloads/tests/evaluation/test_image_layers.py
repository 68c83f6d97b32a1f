"""Files of an image are read where its registry has them, as a container of it would see them."""

import gzip
import io
import tarfile
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest

from evaluation.fake_registry import FakeRegistry
from swe_workloads.evaluation import image_layers, layer_stream, registries
from swe_workloads.evaluation.image_layers import ImageFiles, read_files
from swe_workloads.evaluation.image_references import ImageReference, parse_reference
from swe_workloads.evaluation.registries import Registries
from swe_workloads.evaluation.registry_client import Refused
from swe_workloads.evaluation.registry_credentials import Credential
from swe_workloads.transfer import GaveUp

pytestmark = pytest.mark.usefixtures("short_patience_with_layers")


def layer(pack: bool = True, **contents: str | None) -> bytes:
    """Files below /testbed, __ for a slash; None for a link."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"./testbed/{name.replace('__', '/')}")
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(member)
                continue
            member.size = len(content.encode())
            tar.addfile(member, io.BytesIO(content.encode()))
    return gzip.compress(packed.getvalue()) if pack else packed.getvalue()


def reference(registry: FakeRegistry, name: str = "app:1") -> ImageReference:
    found = parse_reference(f"{registry.host}/{name}")
    assert found is not None
    return found


def read(registry: FakeRegistry, *paths: str, credentials: tuple[Credential, ...] = ()) -> ImageFiles:
    return read_files(reference(registry), "/testbed", paths, Registries(credentials))


def blobs_asked(registry: FakeRegistry) -> int:
    return sum(number for what, number in registry.asked.items() if "/blobs/" in what)


def test_the_topmost_layer_counts_and_what_is_below_the_last_find_is_not_read(registry: FakeRegistry) -> None:
    below, code, top = layer(base="x"), layer(lib__a="old", lib__b="b", README="r"), layer(lib__a="new", pack=False)
    registry.push_layers("app:1", below, code, top)
    found = read(registry, "lib/a", "lib/b")
    assert (found.files, found.readmes) == ({"lib/a": b"new", "lib/b": b"b"}, {"README": b"r"})
    assert not found.missing and blobs_asked(registry) == 2


def test_a_readme_is_sought_below_the_files(registry: FakeRegistry) -> None:
    registry.push_layers("app:1", layer(README="lower"), layer(README="r", readme_md="m", a="old"), layer(a="new"))
    found = read(registry, "a")
    assert (found.files, found.readmes) == ({"a": b"new"}, {"README": b"r", "readme_md": b"m"})
    assert blobs_asked(registry) == 2


def test_what_a_layer_took_away_is_not_there_whatever_lies_below(registry: FakeRegistry) -> None:
    code = layer(lib__a="a", lib__sub__b="b", other__c="c", lib__d="d", README="r")
    top = layer(
        **{"lib__.wh.a": "", "other__.wh..wh..opq": "", "other__new": "n", ".wh.README": "", "lib__.wh.sub": ""}
    )
    registry.push_layers("app:1", code, top)
    found = read(registry, "lib/a", "lib/sub/b", "other/c", "lib/d", "other/new")
    assert (found.files, found.readmes) == ({"lib/d": b"d", "other/new": b"n"}, {})
    assert found.missing == {"lib/a", "lib/sub/b", "other/c"}


def test_a_link_is_no_file_and_hides_the_one_below_it(registry: FakeRegistry) -> None:
    registry.push_layers("app:1", layer(a="a", README="r"), layer(a=None, README=None))
    assert read(registry, "a") == ImageFiles("/testbed", frozenset({"a"}), gone=frozenset({"a", "README"}))


def test_what_lies_outside_of_the_folder_or_nowhere_is_missing(registry: FakeRegistry) -> None:
    registry.push_layers("app:1", layer(**{"..__etc__passwd": "x", "a": "a"}))
    assert read(registry, "etc/passwd", "../etc/passwd", "b").files == {}


def test_a_layer_that_breaks_off_is_read_again_and_a_damaged_one_never_taken(registry: FakeRegistry) -> None:
    code = layer(a="a" * 100_000)
    registry.push_layers("app:1", code)
    registry.failures = {("WHOLE", 0): 2}
    assert len(read(registry, "a").files["a"]) == 100_000
    registry.blobs = {digest: layer(a="other") for digest in registry.blobs}
    with pytest.raises(Refused, match=r"a layer is damaged: its bytes are sha256:"):
        read(registry, "a")
    assert blobs_asked(registry) == 3 + image_layers.ATTEMPTS
    registry.failures = {("WHOLE", 0): 9}
    with pytest.raises(GaveUp, match=r"a layer of .*/app cannot be read: the connection ended \d+ bytes early"):
        read(registry, "a")


@pytest.mark.parametrize(
    "blob",
    [b"", b"no tar", b"\x1f\x8bno gzip", gzip.compress(b"x" * 600), layer(a="a" * 5000)[:-300]],
    ids=["empty", "no tar", "no gzip", "no tar in it", "cut"],
)
def test_bytes_that_nobody_can_unpack_are_their_image_s_trouble(registry: FakeRegistry, blob: bytes) -> None:
    registry.push_layers("app:1", blob)
    with pytest.raises(Refused, match="a layer is damaged: "):
        read(registry, "a")


def test_a_layer_may_be_packed_in_several_parts(registry: FakeRegistry) -> None:
    whole = layer(a="a" * 2000, b="b", pack=False)
    registry.push_layers("app:1", gzip.compress(whole[:700]) + gzip.compress(whole[700:]))
    assert read(registry, "a", "b").files == {"a": b"a" * 2000, "b": b"b"}


def test_a_file_that_is_too_long_is_none_be_it_a_readme(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_layers, "FILE_BYTES", 10)
    registry.push_layers("app:1", layer(a="below", README="below"), layer(a="a" * 11, README="r" * 11, readme_md="m"))
    found = read(registry, "a", "b")
    assert (found.files, found.readmes, found.gone) == ({}, {"readme_md": b"m"}, {"a", "README"})


def test_readmes_are_kept_up_to_a_number_and_a_size(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_layers, "READMES_BYTES", 1000)
    many = {f"readme{number}": "r" for number in range(99)}
    registry.push_layers("app:1", layer(readme="r" * 600, readme_long="r" * 600, **many))
    readmes = read(registry).readmes
    assert len(readmes) == image_layers.READMES and "readme_long" not in readmes


def test_names_that_take_nothing_away_are_passed_over(registry: FakeRegistry) -> None:
    names = (".wh.", ".wh..", ".wh...", "x" * 5000)
    registry.push_layers("app:1", layer(a="a", README="r"), layer(**dict.fromkeys(names, "")))
    assert read(registry, "a").files == {"a": b"a"}


def test_of_what_is_taken_away_only_what_is_sought_is_kept(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = layer(a__b="b", README="r")
    registry.push_layers("app:1", code, layer(**{f".wh.{n}": "" for n in range(99)}, **{".wh.a": ""}))
    assert read(registry, "a/b").gone == {"a"}
    registry.push_layers("app:1", code, layer(**{f".wh.readme{n}": "" for n in range(99)}))
    monkeypatch.setattr(image_layers, "GONE", 50)
    with pytest.raises(Refused, match="it takes away more than 50 files"):
        read(registry, "a/b")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_without_end_is_not_read(registry: FakeRegistry, kind: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 1 << 30
    registry.push_layers("app:1", gzip.compress(header.tobuf() + bytes(1 << 20)))
    with pytest.raises(Refused, match="a file in it has a header of more than 262144 bytes"):
        read(registry, "a")
    header.size = 1 << 17
    registry.push_layers("app:1", gzip.compress((header.tobuf() + b"x" * header.size) * 3))
    with pytest.raises(Refused, match="a file in it has a header of more than 262144 bytes"):
        read(registry, "a")


def test_headers_that_name_more_than_there_is_are_damage(registry: FakeRegistry) -> None:
    header = tarfile.TarInfo("testbed/x")
    header.size = 1 << 80
    registry.push_layers("app:1", header.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(Refused, match="a layer is damaged: unexpected end of data"):
        read(registry, "a")
    sparse = tarfile.TarInfo("testbed/a")
    sparse.pax_headers = {"GNU.sparse.map": "0,x"}
    registry.push_layers("app:1", sparse.tobuf(tarfile.PAX_FORMAT))
    with pytest.raises(Refused, match="a layer is damaged: invalid literal"):
        read(registry, "a")


def test_a_layer_that_unpacks_without_end_is_given_up(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_stream, "LAYER_BYTES", 100_000)
    registry.push_layers("app:1", layer(a="a", big="0" * 200_000))
    with pytest.raises(Refused, match="a layer has more than 100000 bytes"):
        read(registry, "b")


def test_a_layer_that_comes_byte_by_byte_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dripping:
        headers: ClassVar[dict[str, str]] = {}

        def read1(self, size: int) -> bytes:
            time.sleep(0.01)
            return b"x"

    monkeypatch.setattr(layer_stream, "LAYER_SECONDS", 0.2)
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match="it takes more than 0 s"):
        layer_stream.LayerStream(Dripping()).read(8192)
    assert time.monotonic() - begun < 30


def test_a_registry_that_wants_a_rest_gets_it_beyond_the_time_of_a_request(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registries, "IMAGE_SECONDS", 1.5)
    registry.push_layers("app:1", layer(a="a"))
    registry.failures, registry.retry_after = {("/blobs/", 429): 1}, "2"
    assert read_files(reference(registry), "/testbed", ["a"], Registries((), 10.0)).files == {"a": b"a"}
    registry.failures = {("/blobs/", 429): 9}
    begun = time.monotonic()
    with pytest.raises(GaveUp, match=r"HTTP 429, to be asked again in [12] s"):
        read_files(reference(registry), "/testbed", ["a"], Registries((), 3.0))
    assert time.monotonic() - begun < 15


def test_the_time_for_all_digests_is_none_for_layers(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "ALL_SECONDS", 0.0)
    registry.push_layers("app:1", layer(a="a"))
    registry.failures = {("/blobs/", 503): 1}
    assert read(registry, "a").files == {"a": b"a"}


def test_whoever_is_in_a_hurry_gives_no_rest(registry: FakeRegistry) -> None:
    registry.push_layers("app:1", layer(a="a"))
    registry.failures, registry.retry_after = {("/blobs/", 429): 1}, "3000"
    asked = Registries((), 3600.0)
    threading.Timer(0.8, asked.hurry, [1.0]).start()
    with pytest.raises(GaveUp, match="HTTP 429"):
        read_files(reference(registry), "/testbed", ["a"], asked)


def test_a_private_image_takes_the_pull_secret(registry: FakeRegistry) -> None:
    registry.auth, registry.users = "Bearer", {"me": "pull-password"}
    registry.push_layers("app:1", layer(a="a"))
    mine = Credential(registry.host, "", "me", "pull-password")
    assert read(registry, "a", credentials=(mine,)).files == {"a": b"a"}
    with pytest.raises(Refused):
        read(registry, "a")


def test_an_image_that_cannot_be_read_says_why(registry: FakeRegistry, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the registry has no such image"):
        read(registry, "a")
    registry.push_layers("app:1", layer(a="a"), kind="application/vnd.oci.image.layer.v1.tar+zstd")
    with pytest.raises(Refused, match="packed with zstd"):
        read(registry, "a")
    registry.manifests["app:1"] = b'{"manifests": [{"digest": "a", "platform": {"os": "windows"}}]}'
    with pytest.raises(Refused, match="it is not built for linux/amd64"):
        read(registry, "a")
    registry.manifests["app:1"] = b'{"layers": 7}'
    with pytest.raises(Refused, match="its manifest cannot be read"):
        read(registry, "a")
