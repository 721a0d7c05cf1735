"""What Weir's results must be, from the definition and nothing else: exact rationals, every window recomputed from all
of its readings. Shares no code with the product, not even the language."""

import bisect
import datetime
import fractions
import json
import math


def shortest(x):
    """A double as the shortest text that reads back to it, as JSON; integral values without a fraction."""
    if x == math.floor(x) and abs(x) < 1e16:
        return str(int(x))
    return repr(x)


def decimal_text(units, places):
    """An exact decimal without trailing zeros."""
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units), 10**places)
    text = str(part).rjust(places, "0").rstrip("0") if places else ""
    return sign + str(whole) + ("." + text if text else "")


def square_root(x):
    """The double nearest to the square root of a rational, ties to even, by integer arithmetic."""
    if x == 0:
        return 0.0
    # Scaled so that the integer root has more than 64 bits; what is cut off only decides between neighbours.
    shift = 0
    numerator, denominator = x.numerator, x.denominator
    while (numerator << (2 * shift)) // denominator < 1 << 140:
        shift += 8
    scaled, rest = divmod(numerator << (2 * shift), denominator)
    root = math.isqrt(scaled)
    inexact = rest != 0 or root * root != scaled
    # A sticky bit below the root makes the division by a power of two round as the exact value would.
    return float(fractions.Fraction(2 * root + (1 if inexact else 0), 2 << shift))


def time_text(seconds):
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def window_rows(query, readings, window, slide, keys, columns):
    """Rows as JSON lines. `readings`: (time in s, key tuple, units), `columns`: names of aggregates of one field with
    3 places; every window that a reading falls into, first partial one and last one included."""
    groups = {}
    for time, key, units in readings:
        groups.setdefault(key, []).append((time, units))
    rows = []
    for key, entries in groups.items():
        entries.sort()
        times = [time for time, _ in entries]
        seen = {}  # windows with the same readings have the same values
        ends = set()
        for time, _ in entries:
            end = (time // slide + 1) * slide
            while end - window <= time:
                ends.add(end)
                end += slide
        for end in ends:
            inside = bisect.bisect_left(times, end - window), bisect.bisect_left(times, end)
            if inside not in seen:
                seen[inside] = aggregate(entries[slice(*inside)], columns)
            rows.append((end, tuple(k.encode() for k in key), seen[inside]))
    rows.sort(key=lambda row: (row[0], row[1]))
    lines = []
    for end, key, values in rows:
        members = [("query", json.dumps(query)), ("window_start", json.dumps(time_text(end - window))),
                   ("window_end", json.dumps(time_text(end)))]
        members += [(name, json.dumps(part.decode())) for name, part in zip(keys, key)]
        members += list(zip(columns, values))
        lines.append("{" + ",".join(json.dumps(name) + ":" + value for name, value in members) + "}\n")
    return "".join(lines)


def aggregate(inside, columns, places=3):
    units = [u for _, u in inside]
    n, total = len(units), sum(units)
    values = []
    for column in columns:
        kind = column.split("(")[0]
        if kind == "count":
            values.append(str(n))
        elif kind == "sum":
            values.append(decimal_text(total, places))
        elif kind == "avg":
            values.append(shortest(float(fractions.Fraction(total, n * 10**places))))
        elif kind == "min":
            values.append(decimal_text(min(units), places))
        elif kind == "max":
            values.append(decimal_text(max(units), places))
        elif kind == "first":
            values.append(decimal_text(min(inside)[1], places))
        elif kind == "last":
            values.append(decimal_text(max(inside)[1], places))
        elif kind == "stddev":
            if n < 2:
                values.append("null")
            else:
                squares = sum(u * u for u in units)
                variance = fractions.Fraction(n * squares - total * total, n * (n - 1) * 10 ** (2 * places))
                values.append(shortest(square_root(variance)))
        else:
            raise ValueError(column)
    return values
