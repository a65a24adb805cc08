"""Writes needs.jsonl, candidates.jsonl and qrels.tsv: `python bench/quality_data/make.py`.

Who the people are is drawn first (their kind, jobs and years), and the grades follow from that alone, as a
consultant would give them on reading the life behind the CV; only then are the CVs written, in one of several
layouts and two languages. The grades were settled before anything was ranked, and know nothing of scores.

Grade of a candidate for a need, by its job:
3  does this job now (or left it less than two years ago), for three years or more, with what is asked first
2  does it for less than three years, or without one of the two skills asked first;
   or does the sibling job for four years or more and used what is asked first in it
1  did it and left it more than six years ago; a generalist who did some of it; does a sibling job
0  everybody else: other jobs, and who only lists the words of this one (keyword stuffers, recruiters)
"""

import json
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.quality_data.people import JOBS, NEEDS, OTHER_LIVES, Job

HERE = Path(__file__).parent
THIS_YEAR = 2026
MONTHS = {
    "fr": [
        "janv.",
        "févr.",
        "mars",
        "avril",
        "mai",
        "juin",
        "juil.",
        "août",
        "sept.",
        "oct.",
        "nov.",
        "déc.",
    ],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}
PLACES = ["Lyon", "Lille", "Nantes", "Paris", "Toulouse", "Bordeaux", "Rennes", "Grenoble"]
EMPLOYERS = [
    "Sample Retail",
    "Sample Insurance",
    "Sample Bank",
    "Sample Transport",
    "Sample Energy",
    "Sample Health",
    "Sample Studio",
    "Sample Telecom",
]


@dataclass
class Post:
    """A job held from `start` to `end` (years; end None is today). `lacks`: a skill never used in it."""

    job: Job
    start: int
    end: int | None
    lacks: str | None = None
    lines: int = 3
    borrowed: list[str] = field(default_factory=list)
    """Sentences of another job that were done in this one."""


@dataclass
class Person:
    """`grades` by job, as the module says."""

    locale: str
    posts: list[Post]
    grades: dict[str, int]
    pasted: list[str] = field(default_factory=list)
    """Words listed under skills without any work behind them."""


def people(chance: random.Random) -> list[Person]:
    found: list[Person] = []
    for name, job in JOBS.items():
        first, second = job["siblings"]
        for _ in range(3):
            start = chance.randint(2014, 2022)
            before = [Post(JOBS[first], start - chance.randint(2, 4), start)] if chance.random() < 0.5 else []
            posts = [Post(job, start, None, lines=5), *before]
            found.append(_person(posts, {name: 3, first: 1, second: 1}, chance))
        found.append(
            _person(
                [Post(job, THIS_YEAR - chance.randint(1, 2), None)], {name: 2, first: 1, second: 1}, chance
            )
        )
        lacking = Post(job, chance.randint(2017, 2021), None, lacks=job["must"][1], lines=4)
        found.append(_person([lacking], {name: 2, first: 1, second: 1}, chance))
        sibling = Post(JOBS[first], chance.randint(2018, 2021), None, lines=3)
        locale = chance.choice(["fr", "en"])
        sibling.borrowed = [
            line for line in job[locale] if any(must.lower() in line.lower() for must in job["must"])
        ][:2]
        used = len(sibling.borrowed) > 1
        person = _person([sibling], {first: 3, name: 2 if used else 1}, chance)
        person.locale = locale
        for other in JOBS[first]["siblings"]:
            person.grades.setdefault(other, 1)
        found.append(person)
        left = chance.randint(2016, 2019)
        old = [_other_life(left, None, chance), Post(job, left - chance.randint(4, 7), left, lines=4)]
        found.append(_person(old, {name: 1}, chance))
        stuffer = _person([_other_life(chance.randint(2012, 2021), None, chance)], {}, chance)
        stuffer.pasted = chance.sample(job["tools"], 6) + chance.sample(JOBS[first]["tools"], 3)
        found.append(stuffer)
        if chance.random() < 0.7:
            beginner = _person([_other_life(2015, 2025, chance)], {}, chance)
            beginner.pasted = chance.sample(job["tools"], 3)
            found.append(beginner)
    for _ in range(14):
        some = chance.sample(sorted(JOBS), 4)
        posts = [
            Post(JOBS[name], 2026 - 3 * at - 3, None if at == 0 else 2026 - 3 * at, lines=2)
            for at, name in enumerate(some)
        ]
        grades = dict.fromkeys(some, 1) | {some[0]: 2}
        generalist = _person(posts, grades, chance)
        generalist.pasted = [chance.choice(job["tools"]) for job in JOBS.values()]
        found.append(generalist)
    found += (_person([_other_life(2010, None, chance)], {}, chance) for _ in range(20))
    chance.shuffle(found)
    return found


def _other_life(start: int, end: int | None, chance: random.Random) -> Post:
    life = chance.choice(OTHER_LIVES)
    titles = {locale: [title] for locale, title in life["title"].items()}
    return Post({"titles": titles, "tools": [], "fr": life["fr"], "en": life["en"]}, start, end)


def _person(posts: list[Post], grades: dict[str, int], chance: random.Random) -> Person:
    return Person(chance.choice(["fr", "fr", "en"]), posts, grades)


def cv(person: Person, number: int, chance: random.Random) -> str:
    """The CV in one of five layouts."""
    layouts = (_bulleted, _prose, _terse, _sectioned, _exported)
    return layouts[chance.randrange(len(layouts))](person, number, chance)


def _lines(post: Post, locale: str, chance: random.Random) -> list[str]:
    own = [line for line in post.job[locale] if not post.lacks or post.lacks.lower() not in line.lower()]
    return chance.sample(own, min(post.lines, len(own))) + post.borrowed


def _tools(person: Person, chance: random.Random) -> list[str]:
    tools: dict[str, None] = {}
    for post in person.posts:
        for tool in chance.sample(post.job["tools"], min(len(post.job["tools"]), 2 + post.lines)):
            if tool != post.lacks:
                tools.setdefault(tool)
    shown = [*tools, *person.pasted]
    chance.shuffle(shown)
    return list(dict.fromkeys(shown))


def _when(post: Post, locale: str, style: int, chance: random.Random) -> str:
    today = {"fr": ["aujourd'hui", "à ce jour", "présent"], "en": ["today", "present", "now"]}[locale][
        style % 3
    ]
    start, end = chance.randint(1, 12), chance.randint(1, 12)
    if style == 0:
        return f"{MONTHS[locale][start - 1]} {post.start} – {f'{MONTHS[locale][end - 1]} {post.end}' if post.end else today}"
    if style == 1:
        return f"{start:02}/{post.start} - {f'{end:02}/{post.end}' if post.end else today}"
    if post.end is None:
        return f"{'depuis' if locale == 'fr' else 'since'} {post.start}"
    return f"{post.start}-{post.end}"


def _title(post: Post, locale: str, chance: random.Random) -> str:
    title: str = chance.choice(post.job["titles"][locale])
    return title


def _years(person: Person) -> int:
    return THIS_YEAR - min(post.start for post in person.posts)


def _bulleted(person: Person, number: int, chance: random.Random) -> str:
    locale, style = person.locale, chance.randrange(3)
    out = [f"Sample Person {number}", chance.choice(PLACES), f"sample.person.{number}@example.com", ""]
    for post in person.posts:
        out.append(
            f"{_when(post, locale, style, chance)}  {_title(post, locale, chance)}, {chance.choice(EMPLOYERS)}"
        )
        out += [f"• {line}" for line in _lines(post, locale, chance)]
        out.append("")
    tools = _tools(person, chance)
    if tools:
        out += ["Compétences" if locale == "fr" else "Skills", ", ".join(tools)]
    return "\n".join(out)


def _prose(person: Person, number: int, chance: random.Random) -> str:
    locale = person.locale
    parts = []
    for at, post in enumerate(person.posts):
        title, lines = _title(post, locale, chance), _lines(post, locale, chance)
        told = ". ".join(lines)
        if locale == "fr":
            opening = (
                f"Je suis {title.lower()} chez {chance.choice(EMPLOYERS)} depuis {post.start}"
                if post.end is None
                else f"{'Auparavant' if at else 'De ' + str(post.start) + ' à ' + str(post.end)}, j'ai été {title.lower()} ({post.start}-{post.end})"
            )
        else:
            opening = (
                f"I have been working as {title} at {chance.choice(EMPLOYERS)} since {post.start}"
                if post.end is None
                else f"Before that I was {title} ({post.start} to {post.end})"
            )
        parts.append(f"{opening}. {told}.")
    tools = _tools(person, chance)
    if tools:
        listed = ", ".join(tools[:-1]) + (" et " if locale == "fr" else " and ") + tools[-1]
        parts.append(f"Je connais {listed}." if locale == "fr" else f"I know {listed}.")
    return f"Sample Person {number}\n\n" + "\n\n".join(parts)


def _terse(person: Person, number: int, chance: random.Random) -> str:
    locale = person.locale
    out = [
        f"{_title(person.posts[0], locale, chance).upper()} - {_years(person)} {'ans' if locale == 'fr' else 'years'}"
    ]
    out.append(" / ".join(_tools(person, chance)))
    out += [
        f"{_when(post, locale, 2, chance)} {_title(post, locale, chance)}: {_lines(post, locale, chance)[0]}"
        for post in person.posts
    ]
    return "\n".join(out)


def _sectioned(person: Person, number: int, chance: random.Random) -> str:
    locale = person.locale
    fr = locale == "fr"
    study = (
        chance.choice(["Bac+5", "Bac+3", "Bac+2"])
        if fr
        else chance.choice(["MSc in computing", "BSc in computing", "Diploma"])
    )
    out = ["CURRICULUM VITAE", f"Sample Person {number}", "", "PROFIL" if fr else "SUMMARY"]
    head = _title(person.posts[0], locale, chance)
    out.append(
        f"{head}, {_years(person)} ans d'expérience, à l'aise en équipe et rigoureux."
        if fr
        else f"{head} with {_years(person)} years of experience, a team player with an eye for detail."
    )
    out += ["", "EXPÉRIENCE PROFESSIONNELLE" if fr else "PROFESSIONAL EXPERIENCE"]
    for post in person.posts:
        out += [
            f"{_title(post, locale, chance)} | {chance.choice(EMPLOYERS)} | {_when(post, locale, 0, chance)}",
            "",
        ]
        out += [f"- {line}." for line in _lines(post, locale, chance)]
        if post.job["tools"]:
            used = [tool for tool in chance.sample(post.job["tools"], 4) if tool != post.lacks]
            out.append(("Environnement technique : " if fr else "Technical environment: ") + ", ".join(used))
        out.append("")
    out += [
        "FORMATION" if fr else "EDUCATION",
        study,
        "",
        "COMPÉTENCES TECHNIQUES" if fr else "TECHNICAL SKILLS",
    ]
    out += [f"* {tool}" for tool in _tools(person, chance)]
    out += [
        "",
        "LANGUES" if fr else "LANGUAGES",
        "Français, anglais B2" if fr else "English C1, French B1",
        "",
        "Lecture, randonnée, cuisine" if fr else "Reading, hiking, cooking",
    ]
    return "\n".join(out)


def _exported(person: Person, number: int, chance: random.Random) -> str:
    """As an agency's old system prints it."""
    locale = person.locale
    out = [
        f"REF {number:05d}|{'Poste' if locale == 'fr' else 'Position'}: {_title(person.posts[0], locale, chance)}"
    ]
    for post in person.posts:
        out.append(
            f"{post.start}|{post.end or ''}|{_title(post, locale, chance)}|"
            + "; ".join(_lines(post, locale, chance))
        )
    for tool in _tools(person, chance):
        real = tool not in person.pasted
        out.append(
            f"{tool}: {chance.randint(2, max(2, min(9, _years(person))))} {'ans' if locale == 'fr' else 'years'}"
            if real
            else tool
        )
    return "\n".join(out)


def main() -> None:
    chance = random.Random(20261123)
    everybody = people(chance)
    rows = [
        {"candidate_id": f"c{at:03}", "cv_text": cv(person, at, chance)}
        for at, person in enumerate(everybody, 1)
    ]
    needs = [
        {
            **{name: value for name, value in need.items() if name != "skills"},
            "need_id": job,
            "skills": [
                {"skill": skill, "level": level, "must": must}
                for skill, level, must in need.get("skills", [])
            ],
        }
        for job, need in NEEDS.items()
    ]
    grades = [
        f"{job}\tc{at:03}\t{person.grades[job]}"
        for job in NEEDS
        for at, person in enumerate(everybody, 1)
        if person.grades.get(job)
    ]
    for name, lines in (("candidates.jsonl", rows), ("needs.jsonl", needs)):
        (HERE / name).write_text(
            "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8"
        )
    (HERE / "qrels.tsv").write_text("need_id\tcandidate_id\tgrade\n" + "\n".join(grades) + "\n", "utf-8")


if __name__ == "__main__":
    main()
