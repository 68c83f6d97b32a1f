"""What a person gets to see of a comparison, read back from the page."""

from dataclasses import replace

from test_report import facts, parsed, verdict, words

from swe_workloads.report import Facts, render_report
from swe_workloads.verdict import FirstAndLast, Perplexity, Preferences


def compared() -> Facts:
    rewards = ("rewards/margins", "rewards/accuracies")
    trained = [{"step": n, "loss": 0.69, "logps/chosen": -90.0 - n, "logps/rejected": -90.0 - 2 * n} for n in range(9)]
    evaluated = [{"step": float(n), **{f"eval_{name}": n / 9 for name in rewards}} for n in (3, 6)]
    history = [*({**entry, **dict.fromkeys(rewards, entry["step"] / 9)} for entry in trained), *evaluated]
    told = Preferences(
        accuracy=FirstAndLast(first="0", last="1"),
        margin=FirstAndLast(first="0", last="2.2"),
        eval_accuracy=FirstAndLast(first="0.52", last="0.83"),
        eval_margin=FirstAndLast(first="0.02", last="1.31"),
    )
    absent = Perplexity(reason="it is not measured for preferences")
    settings = {"method": "DPO", "dpo": {"beta": "0.1", "lossType": "Sigmoid"}}
    return facts(history=history, settings=settings, verdict=verdict(preferences=told, perplexity=absent))


def test_a_comparison_shows_margin_and_accuracy_in_training_and_on_held_out_pairs() -> None:
    page = render_report(compared())
    said = words(page)
    for told in (
        "0.52 → 0.83",
        "0.02 → 1.31",
        "on the held-out pairs",
        "0.1 times what its log-probability",
        "lossType",
    ):
        assert told in said
    assert "it is not measured for preferences" in said
    labels_of = [svg.attrib["aria-label"] for svg in parsed(page).iter("svg")]
    for title in (
        "Reward margin: training from",
        "Reward accuracy: training from",
        "Log-probability of answers: chosen",
    ):
        [label] = [one for one in labels_of if one.startswith(title)]
        assert ("; held-out from" in label) == title.startswith("Reward")


def test_an_imitation_shows_nothing_of_a_comparison() -> None:
    page = words(render_report(facts()))
    for absent in ("Reward", "Log-probability", "Chosen and rejected"):
        assert absent not in page


def test_a_comparison_without_held_out_pairs_shows_those_it_was_trained_on() -> None:
    known = compared()
    told = Preferences(accuracy=FirstAndLast(first="0", last="1"), margin=FirstAndLast(first="0", last="2.2"))
    page = words(render_report(replace(known, verdict=known.verdict.model_copy(update={"preferences": told}))))
    assert "0 → 2.2" in page
    assert "on the pairs that are trained on" in page
