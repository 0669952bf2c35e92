"""profiles.py -- colour profiles of primaries and a pure power"""
import struct

WIDE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609),
        (0.1492, 0.0632, 0.7445))
SRGB = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971),
        (0.1431, 0.0606, 0.7141))
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def s15(v):
    return struct.pack('>i', int(round(v * 65536)))


def make_curve(gamma):
    """a power, or what 'para' of kind 3 is told"""
    if isinstance(gamma, tuple):
        return b'para\0\0\0\0\0\3\0\0' + b''.join(map(s15, gamma))
    return (b'curv\0\0\0\0' + struct.pack('>IH', 1, int(gamma * 256))
            + b'\0\0')


def make_profile(gamma, primaries=WIDE, text=b'wide and plain'):
    """@primaries None: of gray"""
    def xyz(x, y, z):
        return b'XYZ \0\0\0\0' + s15(x) + s15(y) + s15(z)
    curve = make_curve(gamma)
    desc = (b'desc\0\0\0\0' + struct.pack('>I', len(text) + 1) + text + b'\0'
            + b'\0' * 78)
    desc += b'\0' * (-len(desc) % 4)
    tags = [(b'desc', desc), (b'cprt', b'text\0\0\0\0CC0\0'),
            (b'wtpt', xyz(0.9642, 1, 0.8249))]
    if primaries:
        tags += [(name + b'XYZ', xyz(*p))
                 for name, p in zip((b'r', b'g', b'b'), primaries)]
        tags += [(name + b'TRC', curve) for name in (b'r', b'g', b'b')]
    else:
        tags.append((b'kTRC', curve))
    body, table, at = b'', struct.pack('>I', len(tags)), 128 + 4 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack('>II', at + len(body), len(data))
        body += data + b'\0' * (-len(data) % 4)
    head = struct.pack('>I4sI4s4s4s', at + len(body), b'\0\0\0\0', 0x02400000,
                       b'mntr', b'RGB ' if primaries else b'GRAY', b'XYZ ')
    head += struct.pack('>6H', 2026, 1, 1, 0, 0, 0) + b'acsp' + b'\0' * 28
    head += s15(0.9642) + s15(1) + s15(0.8249)
    return head.ljust(128, b'\0') + table + body
