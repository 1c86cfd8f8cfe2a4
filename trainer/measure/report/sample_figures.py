"""Numbers as people read them."""

from math import isfinite

NONE = "–"


MOST_DIGITS = 3


def decimals(*values: float, least: int = 1) -> int:
    """How many digits after the point tell values apart from 0 and from each other, 3 at most."""
    apart = {round(value, MOST_DIGITS) for value in values if isfinite(value)}
    for digits in range(least, MOST_DIGITS):
        round_figures = [round(value, digits) for value in apart]
        if len(set(round_figures)) == len(apart) and all(map(bool, round_figures)) == all(
            map(bool, apart)
        ):
            return digits
    return MOST_DIGITS if least < MOST_DIGITS else least


def points(value: float, digits: int = 1) -> str:
    """A difference with its sign: "+4.5", "−0.3", "+0.04", "0.0"; 0 is 0 and no small number."""
    if not isfinite(value):
        return NONE
    digits = decimals(value, least=digits) if round(value, MOST_DIGITS) else digits
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text if any(c in "123456789" for c in text) else text[1:]


def percent(value: float, digits: int = 1) -> str:
    """A share given in percent: "40.8 %"."""
    return f"{value:.{digits}f} %".replace("-", "−") if isfinite(value) else NONE


def span(low: float, high: float, digits: int = 1) -> str:
    """An interval of differences: "+2.9 to +6.1", with the digits that tell its ends apart."""
    digits = decimals(low, high, least=digits)
    return f"{points(low, digits)} to {points(high, digits)}"


def size_span(low: float, high: float) -> str:
    """The same where the sign is said in words: "2.9 to 6.1", the smaller one first."""
    ends = sorted((abs(low), abs(high)))
    digits = decimals(*ends)
    return f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}"


def join_list(words: list[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def shots_text(*shots: int) -> str:
    """ "1 real image of each class", "1 and 5 real images of each class"."""
    noun = "image" if shots == (1,) else "images"
    return f"{join_list([f'{count:,}' for count in shots])} real {noun} of each class"
