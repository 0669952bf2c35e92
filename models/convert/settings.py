"""model.ini: a GKeyFile with one group, as docs/FORMATS.md describes it."""


def write_ini(path, keys):
    with open(path, "w", encoding="utf-8") as f:
        f.write("[camlens]\n")
        for key, value in keys.items():
            f.write(f"{key}={value}\n")


def numbers(values):
    """1.0, 0.5 -> "1,0.5", without losing digits."""
    return ",".join(repr(float(v)) for v in values)
