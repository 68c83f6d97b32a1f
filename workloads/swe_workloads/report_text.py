"""Figures as people read them."""

import math

MINUTE, HOUR = 60, 3600


def figure(value: float, digits: int = 4) -> str:
    """So many significant digits; in powers of ten only what would be a row of zeros: 0.0313, 1,234, 2e-5."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "not a number"
    magnitude = math.floor(math.log10(abs(value)))
    if not -4 < magnitude < 9:
        return _scientific(value)
    return f"{value:,.{max(0, digits - 1 - magnitude)}f}"


def count(number: int) -> str:
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return _two(whole // MINUTE, "min", whole % MINUTE, "s")
    return _two(whole // HOUR, "h", whole % HOUR // MINUTE, "min")


def size(size_bytes: int) -> str:
    """In powers of 1000, as object stores show it: 482 bytes, 3.1 MB."""
    value, unit = float(size_bytes), "bytes"
    for bigger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, bigger
    return f"{size_bytes} bytes" if unit == "bytes" else f"{value:.3g} {unit}"


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers between low and high, about so many."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * min((1, 2, 2.5, 5, 10), key=lambda factor: abs(math.log(factor * power / rough)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def labels(values: list[float]) -> list[str]:
    """All of one axis with the same number of decimals, or all in powers of ten."""
    largest = max((abs(value) for value in values), default=0)
    if largest == 0:
        return ["0" for _ in values]
    if largest < 0.01 or largest >= 1e7:
        return ["0" if value == 0 else _scientific(value) for value in values]
    decimals = next((digits for digits in range(6) if all(_is_exact(value, digits) for value in values)), 6)
    return [f"{value:,.{decimals}f}" for value in values]


def _is_exact(value: float, decimals: int) -> bool:
    return abs(value - round(value, decimals)) <= 1e-9 * max(1.0, abs(value))


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large} {unit} {small} {smaller}" if small else f"{large} {unit}"
