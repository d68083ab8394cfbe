#!/usr/bin/env python3
"""Cuts texts by the reference WordPiece tokenizer, for tests/text.

    word_piece_oracle.py ids FOLDER OUT.json      made-up texts of many scripts, with FOLDER/vocab.txt
    word_piece_oracle.py words OUT.json           every assigned code point between two letters

FOLDER/tokenizer_config.json gives the options. "ids" writes a list of {"text", "ids", "spans"},
where spans are bytes; "words" a list of {"text", "words"}. U+0000 is left to other tests: our JSON
refuses it.
"""

import json
import pathlib
import random
import sys

import tokenizers
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

SCRIPTS = {  # ranges of code points to draw from
    "latin": [(0x20, 0x7E), (0xA0, 0x24F), (0x1E00, 0x1EFF)],
    "phonetic": [(0x250, 0x2FF), (0x1D00, 0x1DBF)],
    "greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)],
    "cyrillic": [(0x400, 0x52F)],
    "armenian georgian": [(0x531, 0x58F), (0x10A0, 0x10FF)],
    "hebrew": [(0x591, 0x5F4)],
    "arabic": [(0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)],
    "indic": [(0x900, 0xDFF)],
    "thai lao tibetan": [(0xE00, 0xFFF)],
    "khmer mongolian": [(0x1780, 0x18AF)],
    "hangul": [(0x1100, 0x11FF), (0xAC00, 0xD7A3)],
    "kana": [(0x3040, 0x30FF), (0xFF61, 0xFF9F)],
    "cjk": [(0x3000, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)],
    "cjk beyond": [(0x20000, 0x2CEAF), (0x2F800, 0x2FA1F), (0x30000, 0x3134A)],
    "full width": [(0xFF01, 0xFF5E)],
    "punctuation": [(0x21, 0x2F), (0x3A, 0x40), (0x2010, 0x205E), (0x2E00, 0x2E5D)],
    "symbols": [(0x20A0, 0x20BF), (0x2100, 0x2BFF)],
    "combining": [(0x300, 0x36F), (0x1AB0, 0x1ACE), (0x20D0, 0x20F0), (0xFE20, 0xFE2F)],
    "emoji": [(0x1F300, 0x1FAFF), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF), (0x200D, 0x200D)],
    "mathematics": [(0x1D400, 0x1D7FF)],
    "other planes": [(0x10000, 0x1077F), (0x10A00, 0x11FFF), (0x16800, 0x16FFF), (0x1E000, 0x1E94A)],
    "controls": [(0x1, 0x1F), (0x7F, 0x9F), (0x200B, 0x200F), (0x202A, 0x202E), (0xFFF9, 0xFFFF)],
    "spaces": [(0x9, 0xD), (0x20, 0x20), (0xA0, 0xA0), (0x2000, 0x200A), (0x2028, 0x2029)],
    "private": [(0xE000, 0xF8FF), (0xF0000, 0xF0FFF)],
}
SENTENCES = [
    "A 62-year-old Asian man with two 30 mm tumors in the left kidney (T1b).",
    "Patientin, 54 Jahre: Raumforderung im Colon sigmoideum, größter Durchmesser 3,5 cm!",
    "Homme de 71 ans, suspicion d'un carcinome hépatocellulaire; pas d'antécédents.",
    "Mujer de 45 años con adenocarcinoma de páncreas, ¿metástasis?",
    "65岁男性,右肺上叶结节,直径约12毫米。",
    "右肺に結節を認める。サイズはｱﾊﾞｳﾄ３ｃｍです。",
    "환자는 58세 여성이며 간에 종양이 있다.",
    "Больной 60 лет, опухоль правой почки ёмкостью 5 см.",
    "Ασθενής 70 ετών με όγκο στο ΗΠΑΡ ΤΟΥΣ.",
    "مريض عمره ٥٥ سنة يعاني من وَرَم في الكبد.",
    "חולה בן 50 עם גידול בכליה.",
    "रोगी को यकृत में ट्यूमर है।",
    "ผู้ป่วยหญิงอายุ 60 ปี มีเนื้องอกที่ตับ",
    "İSTANBUL'da ISPARTALI bir hasta, ığdır; straße STRASSE ﬁbroma ﬀ ǅ ŉ ẞ",
    "👨‍👩‍👧‍👦 family 🇩🇪 flags 👍🏽 ok… e\u0301 é ｅ\u0301 \u1112\u1161\u11ab 한 \u212b \u2126",
    "[CLS] raw special tokens [SEP][MASK] in [UNK] text [sep] [PAD]x",
    "don't re-do it's 3.5x2.1cm, c/o \"pain\" & fever > 38°C; http://a.b/c?d=e#f user@x.org",
    "tab\tnew\nline\rreturn\u0085next\u2028line\u00a0hard\u3000wide\u200bzero\ufeffbom\u00adsoft",
]


def random_word(draw):
    ranges = draw.choice(list(SCRIPTS.values()))
    length = min(int(draw.expovariate(1 / 6)) + 1, 60)
    return "".join(chr(draw.randint(*draw.choice(ranges))) for _ in range(length))


def misspelled(draw, text):
    characters = list(text)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(characters))
        edit = draw.randrange(5)
        if edit == 0:
            del characters[at : at + draw.randint(1, 3)]
        elif edit == 1:
            characters[at] = characters[at].swapcase()
        elif edit == 2:
            characters.insert(at, chr(draw.randint(0x300, 0x36F)))
        elif edit == 3:
            characters.insert(at, random_word(draw))
        else:
            characters[at:at] = characters[at : at + 5]
        if not characters:
            return "a"
    return "".join(characters)


def texts(vocabulary):
    draw = random.Random(20)
    found = list(SENTENCES) + ["", " ", "\u0301", "a" * 100, "a" * 101, "tumor" * 300, "!" * 250]
    found += ["é" * 100, "é" * 101, "e\u0301" * 101, "한" * 34, "한" * 120]
    for sentence in SENTENCES:
        found += [sentence.upper(), sentence.lower(), sentence.title(), sentence.replace(" ", "")]
        found += [misspelled(draw, sentence) for _ in range(200)]
    while len(found) < 7000:  # pieces of the vocabulary, some glued together
        pieces = [draw.choice(vocabulary).removeprefix("##") for _ in range(draw.randint(3, 12))]
        found.append("".join(piece + draw.choice(["", " ", " "]) for piece in pieces))
    while len(found) < 11000:
        separator = draw.choice(["", " ", "  ", "-", "\u00a0"])
        found.append(separator.join(random_word(draw) for _ in range(draw.randint(1, 8))))
    while len(found) < 14000:  # any assigned or unassigned code points, but for surrogates
        points = [draw.randint(1, draw.choice([0x2FF, 0xFFFF, 0x1FFFF, 0x10FFFF])) for _ in range(20)]
        found.append("".join(chr(c) for c in points if not 0xD800 <= c < 0xE000))
    return found


def reference(folder):
    options = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    return tokenizers.BertWordPieceTokenizer(
        str(folder / "vocab.txt"),
        lowercase=options.get("do_lower_case", True),
        strip_accents=options.get("strip_accents"),
        handle_chinese_chars=options.get("tokenize_chinese_chars", True),
    )


def write_ids(folder, out):
    tokenizer = reference(pathlib.Path(folder))
    tokenizer.enable_truncation(512)
    vocabulary = sorted(tokenizer.get_vocab())
    found = []
    for text in texts(vocabulary):
        encoding = tokenizer.encode(text)
        place = [0]  # byte of each character
        for c in text:
            place.append(place[-1] + len(c.encode()))
        spans = [[place[a], place[b]] for a, b in encoding.offsets]
        found.append({"text": text, "ids": encoding.ids, "spans": spans})
    return found


def write_words(out):
    normalizer, cutter, found = BertNormalizer(), BertPreTokenizer(), []
    points = [*range(0x80, 0xD800), *range(0xE000, 0x32400), *range(0xE0000, 0xE1000)]
    points += range(0x32400, 0x110000, 97)
    for at in range(0, len(points), 200):
        text = "|".join(f"a{chr(c)}a" for c in points[at : at + 200])
        pieces = cutter.pre_tokenize_str(normalizer.normalize_str(text))
        found.append({"text": text, "words": [word for word, _ in pieces]})
    return found


def main(mode, *arguments):
    found = {"ids": write_ids, "words": write_words}[mode](*arguments)
    with open(arguments[-1], "w", encoding="utf-8") as file:
        json.dump(found, file, ensure_ascii=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
