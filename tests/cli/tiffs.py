"""tiffs.py -- TIFF files of any kind, written word by word"""
import struct

import numpy as np

KINDS = {'u': 1, 'i': 2, 'f': 3, 'c': 6}


def pack_bits(values, bits):
    """rows of 1, 2 or 4 bits, filled up to whole bytes"""
    rows = values.reshape(values.shape[0], -1)
    wide = np.unpackbits(rows.astype(np.uint8)[..., None], axis=2)[..., -bits:]
    return np.packbits(wide.reshape(rows.shape[0], -1), axis=1)


def write(name, values, photometric=2, bits=None, extra=None, profile=None,
          colours=None, planar=False, tile=0, tags=(), order='<'):
    """@values [h, w, c]; @extra: ExtraSamples; @colours: ColorMap [3, n];
    @tags: more of (number, type, values); @order: of bytes, < or >"""
    h, w, c = values.shape
    kind = KINDS[values.dtype.kind]
    size = bits or values.dtype.itemsize * 8
    parts = [values[..., i:i + 1] for i in range(c)] if planar else [values]
    blocks = []
    for part in parts:
        if tile:
            down, across = -h % tile, -w % tile
            part = np.pad(part, ((0, down), (0, across), (0, 0)))
            blocks += [part[y:y + tile, x:x + tile] for y in
                       range(0, h, tile) for x in range(0, w, tile)]
        else:
            blocks.append(part)
    data = [(pack_bits(b, size) if bits and bits < 8 else
             b.astype(b.dtype.newbyteorder(order))).tobytes() for b in blocks]
    entries = {256: (4, [w]), 257: (4, [h]), 258: (3, [size] * c),
               259: (3, [1]), 262: (3, [photometric]), 277: (3, [c]),
               284: (3, [2 if planar else 1]), 339: (3, [kind] * c)}
    if extra is not None:
        entries[338] = (3, extra)
    if colours is not None:
        entries[320] = (3, np.asarray(colours).ravel().tolist())
    if profile:
        entries[34675] = (7, list(profile))
    entries.update({number: (form, list(v)) for number, form, v in tags})
    counts = (4, [len(d) for d in data])
    offsets, at = [], 8
    for d in data:
        offsets.append(at)
        at += len(d) + len(d) % 2
    if tile:
        entries.update({322: (4, [tile]), 323: (4, [tile]), 324: (4, offsets),
                        325: counts})
    else:
        entries.update({273: (4, offsets), 278: (4, [h]), 279: counts})
    codes = {1: 'B', 3: 'H', 4: 'I', 7: 'B', 12: 'd'}
    body = b''.join(d + b'\0' * (len(d) % 2) for d in data)
    after = at + 2 + 12 * len(entries) + 4
    table, more = struct.pack(order + 'H', len(entries)), b''
    for number in sorted(entries):
        form, v = entries[number]
        raw = struct.pack(f'{order}{len(v)}{codes[form]}', *v)
        table += struct.pack(order + 'HHI', number, form, len(v))
        if len(raw) <= 4:
            table += raw.ljust(4, b'\0')
        else:
            table += struct.pack(order + 'I', after + len(more))
            more += raw + b'\0' * (len(raw) % 2)
    head = b'II*\0' if order == '<' else b'MM\0*'
    with open(name, 'wb') as file:
        file.write(head + struct.pack(order + 'I', at) + body + table
                   + struct.pack(order + 'I', 0) + more)
