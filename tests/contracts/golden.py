"""Golden messages on disk, and `python -m tests.contracts.golden` that writes those of new topics."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

from shared.events.audit import AUDIT, AuditRecord
from shared.events.candidate import CANDIDATES, Candidate, HeldRole, HeldSkill
from shared.events.delivery import DELIVERIES, Audience, Delivery, DeliveryKind, DeliveryStatus
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.feedback import FEEDBACK, Colleague, Decision, DeclineReason, Feedback
from shared.events.letter import LETTERS, Letter
from shared.events.manifest import MANIFEST, Manifest, fingerprint
from shared.events.model import MODEL, RankingModel
from shared.events.need import NEEDS, AskedSkill, Budget, Contact, Criteria, Need
from shared.events.role import ROLES, CareerStep, RelatedRole, Role, RoleAliases, RoleSkill, RoleSlug
from shared.events.shortlist import (
    SHORTLISTS,
    Departure,
    Entry,
    Evidence,
    Gap,
    NearMiss,
    Outcome,
    Part,
    Shortlist,
)
from shared.events.skill import SKILLS, AmbiguousAlias, RelatedSkill, Skill
from shared.events.topic import Event, Topic
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.events.vocabulary import (
    CareerPath,
    Cefr,
    Contract,
    Language,
    Locale,
    LocalizedText,
    Location,
    Must,
    Remote,
    Seniority,
)
from shared.events.wire import encode

FOLDER = Path(__file__).parent / "golden"
WHEN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
REVISION = 1795426200000
NEED = "019ab000-0000-7000-8000-000000000001"
CANDIDATE = "019ab000-0000-7000-8000-000000000002"
STAMP = {"revision": REVISION, "occurred_at": WHEN}


def golden_files() -> list[Path]:
    return sorted(FOLDER.glob("*/*.json"))


def text(fr: str, en: str) -> LocalizedText:
    return LocalizedText(fr=fr, en=en)


def examples() -> list[tuple[Topic, Event]]:  # type: ignore[type-arg]
    """One event a topic with every field in use."""
    candidate = Candidate(
        candidate_id=CANDIDATE,
        skills=(
            HeldSkill(skill="python", level=4, years=6, last_used=2026, mentions=7),
            HeldSkill(skill="django", level=3, estimated=True, mentions=2),
        ),
        roles=(HeldRole(role="back-end-developer", months=40, until="2026-09"),),
        years=8,
        seniority=Seniority.SENIOR,
        country="FR",
        region="FR-ARA",
        remote=Remote.PARTIAL,
        available_from=date(2027, 1, 1),
        contracts=(Contract.FREELANCE,),
        day_rate=500,
        salary=52000,
        languages=(Language(language="fr", level=Cefr.C2),),
        education=5,
        **STAMP,
    )
    criteria = {
        "role_id": "back-end-developer",
        "title": "Back-end developer, payments",
        "skills": (AskedSkill(skill="python", level=4, must=True), AskedSkill(skill="kubernetes")),
        "seniority": Seniority.SENIOR,
        "min_years": 5,
        "location": Location(country="FR", region="FR-ARA", city="Lyon"),
        "remote": Remote.PARTIAL,
        "start_by": date(2027, 1, 15),
        "min_education": 3,
        "contracts": (Contract.PERMANENT, Contract.FREELANCE),
        "budget": Budget(day_rate=550, salary=52000),
        "languages": (Language(language="fr", level=Cefr.B2),),
        "musts": (Must.LOCATION, Must.LANGUAGES),
    }
    shortlist = Shortlist(
        need_id=NEED,
        need_revision=REVISION,
        reference="N-7F3K2Q",
        title="Back-end developer, payments",
        role_id="back-end-developer",
        region="FR-ARA",
        outcome=Outcome.MATCHED,
        engine="1",
        taxonomy="1795426200000-0123456789ab",
        weights="1",
        model=REVISION,
        input_hash="0" * 64,
        eligible=12,
        candidates=500,
        entries=(
            Entry(
                candidate_id=CANDIDATE,
                score=81.25,
                must_coverage=1.0,
                parts=(
                    Part(
                        criterion="must_skills",
                        weight=0.5,
                        value=1.0,
                        points=50.0,
                        evidence=(
                            Evidence(
                                skill="python",
                                asked="4",
                                found="4",
                                level=4,
                                years=6,
                                last_used=2026,
                                mentions=7,
                            ),
                        ),
                    ),
                ),
                gaps=(
                    Gap(
                        kind="missing",
                        criterion="nice_skills",
                        skill="kubernetes",
                        question=text("A-t-il pratiqué Kubernetes ?", "Has this person run Kubernetes?"),
                    ),
                ),
            ),
        ),
        near_misses=(
            NearMiss(
                candidate_id=NEED,
                score=70.5,
                must_coverage=1.0,
                missed=Must.LOCATION,
                reason=text("Hors de la région", "Outside the region"),
            ),
        ),
        relaxed={"location": 4},
        entered=(CANDIDATE,),
        left=(Departure(candidate_id=NEED, why="outranked"),),
        **STAMP,
    )
    model = RankingModel(
        as_of=date(2026, 11, 23),
        candidates=500,
        rarity={"kubernetes": 1.4},
        weights_version="1",
        weights={"must_skills": 3.0},
        **STAMP,
    )
    colleague = Colleague(
        consultant_id="019ab000-0000-7000-8000-000000000003",
        name="Sample Consultant 1",
        email="sample.consultant.1@example.com",
        phone="+33 1 99 00 00 01",
    )
    return [
        (
            ROLES,
            Role(
                role_id="back-end-developer",
                slug=RoleSlug(fr="developpeur-back-end", en="back-end-developer"),
                title=text("Développeur back-end", "Back-end developer"),
                aliases=RoleAliases(fr=("développeur backend",), en=("backend engineer",)),
                family="software",
                summary=text("Construit le serveur.", "Builds the server side."),
                versus=text("Pas l’interface.", "Not the interface."),
                tasks=(text("Concevoir des API", "Design APIs"),),
                contacts=("front-end-developer",),
                skills=(RoleSkill(skill="python", level=4),),
                soft_skills=(text("Curiosité", "Curiosity"),),
                education=(text("Bac+3 à Bac+5", "A degree"),),
                career=(
                    CareerStep(
                        path=CareerPath.TECHNICAL,
                        role="tech-lead",
                        text=text("Mener", "Lead"),
                    ),
                ),
                related=(RelatedRole(role="full-stack-developer", closeness=0.8),),
                **STAMP,
            ),
        ),
        (
            SKILLS,
            Skill(
                skill_id="symfony",
                label=text("Symfony", "Symfony"),
                category="framework",
                aliases=("symphony",),
                implies=("php",),
                related=(RelatedSkill(skill="laravel", credit=0.5),),
                broader="web-framework",
                ambiguous=(AmbiguousAlias(alias="symphony", context=("php",)),),
                external={"esco": "http://data.europa.eu/esco/skill/0000"},
                **STAMP,
            ),
        ),
        (MANIFEST, Manifest(roles=40, skills=1700, hash=fingerprint({"a": 1}, {"b": 2}), **STAMP)),
        (
            NEEDS,
            Need(
                need_id=NEED,
                reference="N-7F3K2Q",
                company="Sample Company",
                contact=Contact(
                    name="Sample Client", email="sample.client@example.com", phone="+33 1 99 00 00 99"
                ),
                positions=1,
                duration_months=6,
                description="Sample.",
                locale=Locale.FR,
                **criteria,
                **STAMP,
            ),
        ),
        (CANDIDATES, candidate),
        (UNMAPPED, UnmappedTerm(term="cobol 85", seen=3, **STAMP)),
        (
            LETTERS,
            Letter(
                letter_id="019ab000-0000-7000-8000-000000000004",
                template="need-links",
                locale=Locale.FR,
                to_name="Sample Client",
                to_email="sample.client@example.com",
                arguments={"links": "https://example.com/needs/1"},
                **STAMP,
            ),
        ),
        (MODEL, model),
        (SHORTLISTS, shortlist),
        (
            AUDIT,
            AuditRecord(
                need_id=NEED,
                criteria=Criteria(**criteria),
                shortlist=shortlist,
                model=model,
                candidates=(candidate,),
                catalogue_hash="0" * 64,
                watermark={"0": 41},
                **STAMP,
            ),
        ),
        (
            DELIVERIES,
            Delivery(
                delivery_id="019ab000-0000-7000-8000-000000000005",
                need_id=NEED,
                kind=DeliveryKind.SHORTLIST,
                audience=Audience.CONSULTANT,
                status=DeliveryStatus.FAILED,
                subject_revision=REVISION,
                failure="550 no such mailbox",
                **STAMP,
            ),
        ),
        (
            FEEDBACK,
            Feedback(
                feedback_id="019ab000-0000-7000-8000-000000000006",
                need_id=NEED,
                decision=Decision.DECLINED,
                consultant=colleague,
                candidate_id=CANDIDATE,
                reason=DeclineReason.RATE,
                shortlist_revision=REVISION,
                **STAMP,
            ),
        ),
        (
            ERASURES,
            Erasure(subject_id=CANDIDATE, subject=Subject.CANDIDATE, service="matching", **STAMP),
        ),
    ]


def write_missing() -> None:
    """Write a first golden message for each topic that has none. What is there stays as it is."""
    for topic, event in examples():
        path = FOLDER / topic.name / "full.json"
        if path.exists():
            continue
        key, value, headers = encode(topic, event, source=topic.producers[0], traceparent=TRACE)
        path.parent.mkdir(parents=True, exist_ok=True)
        golden = {
            "key": key.decode(),
            "headers": {name: content.decode() for name, content in headers},
            "body": json.loads(value),
        }
        path.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"

if __name__ == "__main__":
    write_missing()
