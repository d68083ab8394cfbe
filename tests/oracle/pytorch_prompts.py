"""The attribute encoder of guidegen in plain PyTorch: prompts as learned tokens."""

import math

import torch
from torch import nn

# Rows of the attribute table: each attribute has a row for "open", then its values.
SEXES = ["female", "male"]
RACES = ["asian", "black", "white", "hispanic", "other"]
CONTRASTS = ["none", "arterial", "portal-venous", "delayed"]
ORGANS = ["lung", "liver", "kidney", "colon", "pancreas"]
POSITIONS = ["lung left-upper", "lung left-lower", "lung right-upper-middle", "lung right-lower",
             "kidney left", "kidney right", "colon ascending", "colon transverse",
             "colon descending", "colon sigmoid-rectum", "liver left", "liver right",
             "pancreas head", "pancreas body", "pancreas tail"]
SEX, AGE, RACE, CONTRAST, TUMORS, ORGAN, POSITION, COUNT, SIZE, STAGE, NO_PROMPT = (
    0, 3, 5, 11, 16, 19, 24, 40, 61, 63, 68)


class AttributeEncoder(nn.Module):
    """Prompts as learned tokens. `rows` [B,T,5] index the table (-1: nothing), `numbers` [B,T,2]
    are age or log size and their squares, `kind` [B,T] says which (1 age, 2 size, 0 neither)."""

    def __init__(self, width):
        super().__init__()
        self.category = nn.Embedding(NO_PROMPT + 1, width)
        self.age, self.request_numbers = nn.Linear(2, width), nn.Linear(2, width)
        self.norm, self.pooled = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, rows, numbers, kind):
        tokens = (self.category(rows.clamp_min(0)) * (rows >= 0).unsqueeze(-1)).sum(2)
        tokens = tokens + (kind == 1).unsqueeze(-1) * self.age(numbers)
        tokens = tokens + (kind == 2).unsqueeze(-1) * self.request_numbers(numbers)
        present = (rows >= 0).any(2)
        tokens = self.norm(tokens)
        weight = present.float().unsqueeze(-1)
        pooled = self.pooled((tokens * weight).sum(1) / weight.sum(1))
        return {"tokens": tokens, "present": present, "pooled": pooled}


def stage_number(stage):
    for character in stage or "":
        if character in "1234":
            return int(character)
    return {"I": 1, "II": 2, "III": 3, "IV": 4}.get("".join(c for c in stage or "" if c in "IV"), 0)


def request_rows(request):
    organ, place, size = request["organ"], request.get("position"), request.get("size_mm")
    rows = [ORGAN + ORGANS.index(organ),
            POSITION + (1 + POSITIONS.index(f"{organ} {place}") if place else 0),
            COUNT + min(max(request.get("count", 0), 0), 20),
            SIZE + (size is not None), STAGE + stage_number(request.get("stage"))]
    number = math.log(size / 30.0) if size is not None else 0.0
    return rows, [number, number * number], 2 if size is not None else 0


def prompt_rows(prompt):
    """One prompt (a JSON object, or None for no prompt) as lists of rows, numbers and kinds."""
    if prompt is None:
        return [([NO_PROMPT], [0.0, 0.0], 0)]

    def choice(base, key, values):
        return base + (1 + values.index(prompt[key]) if key in prompt else 0)

    tumors, age = prompt.get("tumors"), (prompt.get("age", 0) - 55.0) / 20.0
    found = [([choice(SEX, "sex", SEXES)], [0.0, 0.0], 0),
             ([AGE + ("age" in prompt)], [age, age * age], int("age" in prompt)),
             ([choice(RACE, "race", RACES)], [0.0, 0.0], 0),
             ([choice(CONTRAST, "contrast", CONTRASTS)], [0.0, 0.0], 0),
             ([TUMORS + (0 if tumors is None else 2 if tumors else 1)], [0.0, 0.0], 0)]
    return found + [request_rows(request) for request in (tumors or [])[:8]]


def encode_prompts(prompts):
    """Inputs of AttributeEncoder for a batch of prompts."""
    all_rows = [prompt_rows(prompt) for prompt in prompts]
    longest = max(len(rows) for rows in all_rows)
    rows = torch.full((len(prompts), longest, 5), -1)
    numbers, kind = torch.zeros(len(prompts), longest, 2), torch.zeros(len(prompts), longest).long()
    for b, tokens in enumerate(all_rows):
        for t, (some, pair, what) in enumerate(tokens):
            rows[b, t, : len(some)] = torch.tensor(some)
            numbers[b, t], kind[b, t] = torch.tensor(pair), what
    return {"rows": rows, "numbers": numbers, "kind": kind}
