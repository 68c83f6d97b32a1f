"""Whether a patch has the form of a diff. It only warns: whether it applies is for git to say."""

import re

from swe_workloads.reverse_diff import ONLY_FORWARD, Irreversible, reverse_diff

# git format-patch ends its mails like this, and git apply passes over it.
_SIGNATURE = re.compile(r"\n-- ?\n[^\n]*\n*$")


def diff_problem(patch: str) -> str | None:
    """What is malformed, None if nothing is seen."""
    if not patch.endswith("\n"):
        return "there is no newline at its end"
    try:
        reverse_diff(_SIGNATURE.sub("\n", patch))
    except Irreversible as error:
        return None if str(error) in ONLY_FORWARD else str(error)
    return None
