"""Writes the rows: `python -m swe_instances.make_rows <images.json> <folder for logs>`."""

import sys
from pathlib import Path

from swe_instances.fixtures import BENCH, SMITH
from swe_instances.image_roots import Images
from swe_instances.observe import observe_bench, observe_package, observe_pro, observe_smith
from swe_instances.pro import PRO, pro_instances
from swe_instances.rows import Row, json_lines, of_package, swe_bench_row, swe_smith_row
from swe_instances.sources import ROOT, instances, packages


def main() -> int:
    images, logs = Images.read(sys.argv[1]), Path(sys.argv[2])
    (ROOT / BENCH).write_text(json_lines(_bench_rows(images, logs)))
    (ROOT / SMITH).write_text(json_lines(_smith_rows(images, logs)))
    (ROOT / PRO).write_text(json_lines(_pro_rows(images, logs)))
    return 0


def _bench_rows(images: Images, logs: Path) -> list[Row]:
    rows = []
    for instance in instances():
        observed = observe_bench(images, instance, logs / instance.id)
        print(f"{instance.id}: {len(observed.fail_to_pass)} to pass, {len(observed.pass_to_pass)} to go on", flush=True)
        rows.append(swe_bench_row(instance, observed))
    return rows


def _smith_rows(images: Images, logs: Path) -> list[Row]:
    rows, every = [], instances()
    for package in packages():
        released = observe_package(images, package, logs / package.name)
        for instance in of_package(package, every):
            row = swe_smith_row(instance, observe_smith(images, instance, released, logs / f"smith-{instance.id}"))
            print(row["instance_id"], flush=True)
            rows.append(row)
    return rows


def _pro_rows(images: Images, logs: Path) -> list[Row]:
    rows = []
    for instance in pro_instances(instances()):
        rows.append(observe_pro(images, instance, logs / f"pro-{instance.id}"))
        print(rows[-1]["instance_id"], flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main())
