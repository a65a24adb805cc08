"""How good the ranking is: NDCG@10, P@10 and MAP on a labelled set, beside BM25 and TF-IDF.

    python bench/quality.py [--data DIR] [--verbose]

DIR (by default the set written for the purpose, bench/quality_data) holds

    needs.jsonl       a need a line: `need_id`, and the fields of POST /api/needs
    candidates.jsonl  a candidate a line: `candidate_id`, `cv_text`, and other fields of POST /api/candidates
    qrels.tsv         need_id, candidate_id, grade 0 to 3; a pair that is not there has grade 0

Ours goes the real path: the services run in this process on the embedded engines, candidates are posted to
intake in batches (only their texts and fields, not their ids), which reads the CVs; events bring them to
matching; `/api/rank` ranks them for each need. A need whose role or skill the catalogue does not know is sent
again without it, the unknown name as a word of its description.

The baselines rank the same texts in the same run: a candidate's CV with its other fields as words, for a
query of the need's title, the role's title in the catalogue, the skills' names and the description. BM25 is
bm25s as it comes (k1 1.5, b 0.75); TF-IDF is scikit-learn's cosine. Both get the same words: lower case, no
accents, `c++` and `c#` whole, without English and French stop words.

NDCG@10  gain 2^grade - 1, discount log2(rank + 1), over the same of the best possible order
P@10     share of the first ten that are relevant: grade 2 or 3 (1 or more where the set has no higher grade)
MAP      mean over the needs of the average precision over the whole ranking, same relevance

Needs without a relevant candidate are left out. The interval is a paired bootstrap over the needs, 95 %.
"""

import argparse
import asyncio
import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import bm25s
import httpx
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from bench.system import system
from shared.log import configure_logging
from tests.support import until

Json = dict[str, Any]
Grades = Mapping[str, Mapping[str, int]]

SHIPPED = Path(__file__).parent / "quality_data"
OURS, BM25, TFIDF = "ours", "BM25", "TF-IDF"
MEASURES = ("NDCG@10", "P@10", "MAP")
DEEPEST = 10_000
BATCH_BYTES, BATCH_LINES = 700_000, 500
CV_LIMIT = 190_000
RESAMPLES = 10_000
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "do",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "i",
        "in",
        "into",
        "is",
        "it",
        "its",
        "may",
        "more",
        "most",
        "must",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "she",
        "should",
        "so",
        "such",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "was",
        "we",
        "were",
        "what",
        "when",
        "which",
        "who",
        "will",
        "with",
        "you",
        "your",
        "au",
        "aux",
        "avec",
        "ce",
        "ces",
        "cet",
        "cette",
        "chez",
        "comme",
        "d",
        "dans",
        "de",
        "des",
        "du",
        "elle",
        "elles",
        "en",
        "est",
        "et",
        "etre",
        "eux",
        "il",
        "ils",
        "je",
        "l",
        "la",
        "le",
        "les",
        "leur",
        "leurs",
        "lui",
        "ma",
        "mais",
        "me",
        "mes",
        "mon",
        "ne",
        "nos",
        "notre",
        "nous",
        "on",
        "ou",
        "par",
        "pas",
        "plus",
        "pour",
        "qu",
        "que",
        "qui",
        "s",
        "sa",
        "sans",
        "se",
        "ses",
        "son",
        "sont",
        "sur",
        "sous",
        "ta",
        "tes",
        "ton",
        "tous",
        "tout",
        "toute",
        "toutes",
        "un",
        "une",
        "vos",
        "votre",
        "vous",
    ]
)
_WORD = re.compile(r"[a-z0-9]+(?:[+#]+|\.[a-z0-9]+)*")
NEED_FIELDS = frozenset(
    [
        "role_id",
        "title",
        "skills",
        "seniority",
        "min_years",
        "location",
        "remote",
        "positions",
        "start_by",
        "duration_months",
        "min_education",
        "contracts",
        "budget",
        "languages",
        "musts",
        "description",
        "locale",
    ]
)
CANDIDATE_FIELDS = frozenset(
    [
        "skills",
        "cv_text",
        "roles",
        "years",
        "location",
        "remote",
        "available_from",
        "contracts",
        "day_rate",
        "salary",
        "currency",
        "languages",
        "education",
    ]
)


@dataclass(frozen=True)
class Labelled:
    """A labelled set. `grades`: need id -> candidate id -> grade."""

    needs: dict[str, Json]
    candidates: dict[str, Json]
    grades: Grades

    @property
    def relevant_from(self) -> int:
        return min(2, max((grade for found in self.grades.values() for grade in found.values()), default=2))


def load(folder: Path) -> Labelled:
    """Read a set. Raises OSError, ValueError naming the line."""
    needs = {str(row["need_id"]): row for row in _json_lines(folder / "needs.jsonl")}
    candidates = {str(row["candidate_id"]): row for row in _json_lines(folder / "candidates.jsonl")}
    grades: dict[str, dict[str, int]] = {}
    for number, line in enumerate((folder / "qrels.tsv").read_text("utf-8-sig").splitlines(), 1):
        cells = line.split("\t")
        if not line.strip() or (number == 1 and not cells[-1].strip().isdigit()):
            continue
        need_id, candidate_id, grade = cells[0].strip(), cells[-2].strip(), cells[-1].strip()
        if need_id in needs and candidate_id in candidates:
            grades.setdefault(need_id, {})[candidate_id] = int(grade)
    return Labelled(needs, candidates, grades)


def _json_lines(path: Path) -> Iterator[Json]:
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error


def measure(ranked: Sequence[str], grades: Mapping[str, int], relevant_from: int) -> dict[str, float]:
    """The three measures of one ranking; `ranked` are candidate ids, best first."""

    def gained(in_order: Sequence[int]) -> float:
        return sum(float(2**grade - 1) / log2(rank + 2) for rank, grade in enumerate(in_order[:10]))

    best = gained(sorted(grades.values(), reverse=True))
    found, precision = 0, 0.0
    hits = [grades.get(candidate_id, 0) >= relevant_from for candidate_id in ranked]
    for rank, hit in enumerate(hits, 1):
        if hit:
            found += 1
            precision += found / rank
    relevant = sum(1 for grade in grades.values() if grade >= relevant_from)
    ours = gained([grades.get(candidate_id, 0) for candidate_id in ranked])
    return {"NDCG@10": ours / best, "P@10": sum(hits[:10]) / 10, "MAP": precision / relevant}


async def store(client: httpx.AsyncClient, candidates: Mapping[str, Json]) -> tuple[dict[str, str], int]:
    """Post everybody to intake: their ids there -> the set's, and how many were refused.

    A line that is refused for one of its other fields is sent again with its CV alone.
    """
    ids: dict[str, str] = {}
    refused: list[tuple[str, Json]] = []
    everybody = [
        (own, {name: row[name] for name in row.keys() & CANDIDATE_FIELDS if row[name] is not None})
        for own, row in candidates.items()
    ]
    for again in (False, True):
        for batch in _batches(everybody, start=len(ids)):
            body = "\n".join(line for _, _, line in batch)
            answer = await client.post("/api/candidates/batch", content=body.encode())
            answer.raise_for_status()
            for (own, row, _), line in zip(batch, answer.text.splitlines(), strict=True):
                stored = json.loads(line)
                if "candidate_id" in stored:
                    ids[stored["candidate_id"]] = own
                elif not again and row.get("cv_text"):
                    refused.append((own, {"cv_text": row["cv_text"]}))
        everybody, refused = refused, []
    return ids, len(candidates) - len(ids)


def _batches(people: Sequence[tuple[str, Json]], start: int) -> Iterator[list[tuple[str, Json, str]]]:
    batch: list[tuple[str, Json, str]] = []
    size = 0
    for number, (own, row) in enumerate(people, start):
        row = {**row, "cv_text": str(row.get("cv_text") or "")[:CV_LIMIT]}  # noqa: PLW2901
        line = json.dumps(
            {
                **row,
                "external_id": f"bench-{start}-{number}",
                "basis": {"kind": "consent", "until": "2100-01-01"},
            }
        )
        if batch and (size + len(line) > BATCH_BYTES or len(batch) == BATCH_LINES):
            yield batch
            batch, size = [], 0
        batch.append((own, row, line))
        size += len(line) + 1
    if batch:
        yield batch


async def ranked_by_us(
    client: httpx.AsyncClient, labelled: Labelled, say: bool
) -> tuple[dict[str, list[str]], int]:
    """Need id -> candidate ids as `/api/rank` orders them; and how many candidates were refused."""
    ids, refused = await store(client, labelled.candidates)

    async def indexed() -> bool:
        answer = await client.post("/api/rank", json={"need": {"title": "any"}, "limit": 1})
        return answer.status_code == 200 and answer.json()["index"]["candidates"] >= len(ids)

    await until(indexed, seconds=600)
    await _settled(client)
    ranked: dict[str, list[str]] = {}
    for need_id in labelled.grades:
        answer = await ask(client, labelled.needs[need_id], say)
        ranked[need_id] = [ids[entry["candidate_id"]] for entry in answer["shortlist"]]
    return ranked, refused


async def _settled(client: httpx.AsyncClient) -> None:
    """Wait until the ranking model is of the pool as it is: the same twice, two seconds apart."""
    before, same = None, 0
    while same < 3:
        answer = await client.post("/api/rank", json={"need": {"title": "any"}, "limit": 1})
        now = answer.json().get("model")
        same = same + 1 if now == before else 0
        before = now
        await asyncio.sleep(1.0)  # the model is renewed as the pool grows: what is waited for is its rest


async def ask(client: httpx.AsyncClient, need: Json, say: bool) -> Json:
    """Rank for a need, without what the catalogue refuses of it."""
    asked = {name: need[name] for name in need.keys() & NEED_FIELDS if need[name] is not None}
    if not asked.get("title") and not asked.get("role_id"):
        asked["title"] = (str(asked.get("description") or "").strip().splitlines() or ["?"])[0]
    if "title" in asked:
        asked["title"] = " ".join(str(asked["title"]).split())[:160]
    if "description" in asked:
        asked["description"] = str(asked["description"])[:18_000]
    while True:
        answer = await client.post("/api/rank", json={"need": asked, "limit": DEEPEST})
        if answer.status_code != 422:
            answer.raise_for_status()
            found: Json = answer.json()
            return found
        pointers = [error["pointer"] for error in answer.json()["errors"]]
        if say:
            print(f"  {need['need_id']}: refused for {', '.join(pointers)}; asked without", file=sys.stderr)
        if not _without(asked, pointers):
            raise ValueError(f"need {need['need_id']} is refused: {answer.text}")


def _without(asked: Json, pointers: Sequence[str]) -> bool:
    """Take out what is pointed at; an unknown name goes into the description. Whether anything changed."""
    changed = False
    places: set[int] = set()
    for pointer in pointers:
        _, _, name, *rest = [*pointer.split("/"), "", ""]
        if name == "skills" and rest[0].isdigit():
            places.add(int(rest[0]))
        elif name in asked:
            value = asked.pop(name)
            changed = True
            if name == "role_id":
                asked.setdefault("title", str(value).replace("-", " "))
    for place in sorted(places, reverse=True):
        gone = asked["skills"].pop(place)
        name = gone.get("skill", "") if isinstance(gone, dict) else gone
        asked["description"] = f"{asked.get('description', '')}\n{name}".strip()[:19_000]
        changed = True
    return changed


def words(text: str) -> list[str]:
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char)
    )
    return [word for word in _WORD.findall(plain) if word not in STOP_WORDS]


def ranked_by_words(
    labelled: Labelled, roles: Mapping[str, Json], skills: Mapping[str, str]
) -> dict[str, dict[str, list[str]]]:
    """BM25's and TF-IDF's rankings, by need. `skills`: id -> label."""
    own = list(labelled.candidates)
    texts = [words(_text_of(labelled.candidates[one], roles, skills)) for one in own]
    queries = {
        need_id: words(_query_of(labelled.needs[need_id], roles, skills)) for need_id in labelled.grades
    }
    index = bm25s.BM25()
    index.index(texts, show_progress=False)
    vectors = TfidfVectorizer(analyzer=lambda text: text)
    matrix = vectors.fit_transform(texts)
    ranked: dict[str, dict[str, list[str]]] = {BM25: {}, TFIDF: {}}
    for need_id, query in queries.items():
        for name, scores in (
            (BM25, index.get_scores(query) if query else np.zeros(len(own))),
            (TFIDF, (matrix @ vectors.transform([query]).T).toarray().ravel()),
        ):
            ranked[name][need_id] = [own[at] for at in np.argsort(-scores, kind="stable")][:DEEPEST]
    return ranked


def _query_of(need: Json, roles: Mapping[str, Json], skills: Mapping[str, str]) -> str:
    role = roles.get(str(need.get("role_id")))
    names = [_skill_name(one, skills) for one in need.get("skills") or ()]
    title = role["title"].get(need.get("locale") or "fr", "") if role else ""
    return " ".join([str(need.get("title") or ""), title, *names, str(need.get("description") or "")])


def _text_of(candidate: Json, roles: Mapping[str, Json], skills: Mapping[str, str]) -> str:
    held = [
        roles[one["role"]]["title"]["en"] if one.get("role") in roles else str(one.get("role", ""))
        for one in candidate.get("roles") or ()
    ]
    names = [_skill_name(one, skills) for one in candidate.get("skills") or ()]
    return " ".join([str(candidate.get("cv_text") or ""), *held, *names])


def _skill_name(one: Any, skills: Mapping[str, str]) -> str:
    name = str(one.get("skill", "") if isinstance(one, dict) else one)
    return skills.get(name, name)


def bootstrap(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean difference: needs drawn again with replacement, paired."""
    differences = np.array(ours) - np.array(theirs)
    draws = np.random.default_rng(20261123).integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.quantile(differences[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


async def listed(client: httpx.AsyncClient, path: str) -> list[Json]:
    """All items of a list, page by page."""
    items: list[Json] = []
    after: str | None = None
    while True:
        parameters = {"limit": "500"} | ({"after": after} if after else {})
        page = (await client.get(path, params=parameters)).raise_for_status().json()
        items += page["items"]
        after = page["next"]
        if after is None:
            return items


async def rank_all(labelled: Labelled, say: bool) -> tuple[dict[str, dict[str, list[str]]], int]:
    async with system(timeout=600) as (_, _, client):
        roles = {role["role_id"]: role for role in await listed(client, "/api/roles")}
        skills = {skill["skill_id"]: skill["label"]["en"] for skill in await listed(client, "/api/skills")}
        ours, refused = await ranked_by_us(client, labelled, say)
    return {OURS: ours} | ranked_by_words(labelled, roles, skills), refused


def report(labelled: Labelled, ranked: Mapping[str, Mapping[str, Sequence[str]]], verbose: bool) -> Json:
    """Print the tables; the figures for the last line."""
    least = labelled.relevant_from
    needs = [
        need_id
        for need_id, grades in labelled.grades.items()
        if any(grade >= least for grade in grades.values())
    ]
    rows = {
        name: {need_id: measure(found[need_id], labelled.grades[need_id], least) for need_id in needs}
        for name, found in ranked.items()
    }
    if verbose:
        print(
            f"{'need':<28}"
            + "".join(f"{name + ' ' + one:>16}" for one in ("NDCG@10", "MAP") for name in rows)
        )
        for need_id in needs:
            cells = (rows[name][need_id][one] for one in ("NDCG@10", "MAP") for name in rows)
            print(f"{need_id[:27]:<28}" + "".join(f"{cell:>16.3f}" for cell in cells))
        print()
    means = {
        name: {one: float(np.mean([row[one] for row in found.values()])) for one in MEASURES}
        for name, found in rows.items()
    }
    print(f"{len(labelled.candidates)} candidates, {len(needs)} needs; relevant from grade {least}\n")
    print(f"{'':<10}" + "".join(f"{one:>10}" for one in MEASURES))
    for name, found in means.items():
        print(f"{name:<10}" + "".join(f"{found[one]:>10.3f}" for one in MEASURES))
    intervals: Json = {}
    print()
    for peer in (BM25, TFIDF):
        for one in ("NDCG@10", "MAP"):
            pairs = [(rows[OURS][need_id][one], rows[peer][need_id][one]) for need_id in needs]
            low, high = bootstrap([mine for mine, _ in pairs], [theirs for _, theirs in pairs])
            intervals[f"{one} over {peer}"] = [round(low, 4), round(high, 4)]
            gain = means[OURS][one] - means[peer][one]
            print(f"{one} over {peer:<7} {gain:+.3f}   95 % [{low:+.3f}, {high:+.3f}]")
    return {
        "bench": "quality",
        "value": round(means[OURS]["NDCG@10"], 4),
        "unit": "NDCG@10",
        "peer": BM25,
        "peer_value": round(means[BM25]["NDCG@10"], 4),
        "ratio": round(means[OURS]["NDCG@10"] / means[BM25]["NDCG@10"], 4)
        if means[BM25]["NDCG@10"]
        else None,
        "measures": {
            name: {one: round(value, 4) for one, value in found.items()} for name, found in means.items()
        },
        "intervals": intervals,
        "needs": len(needs),
        "candidates": len(labelled.candidates),
    }


async def main(folder: Path, verbose: bool) -> None:
    configure_logging("ERROR")
    labelled = load(folder)
    ranked, refused = await rank_all(labelled, verbose)
    result = report(labelled, ranked, verbose)
    if refused:
        print(f"\n{refused} candidates were refused by intake and stand in no ranking of ours")
    print()
    print(json.dumps(result))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHIPPED)
    parser.add_argument("--verbose", action="store_true", help="a row for each need")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.data, arguments.verbose))
