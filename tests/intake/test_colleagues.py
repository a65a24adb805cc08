"""Consultants are on no topic: their decisions say what they are called."""

from datetime import timedelta

from shared.events.feedback import FEEDBACK, Decision
from shared.run import Surroundings
from tests.intake.desk import consultant, plain, stored
from tests.intake.support import CONSULTANT, a_feedback, a_need, intake
from tests.support import now, publisher, until


async def test_who_has_decided_anything_is_shown_by_name_wherever_they_did_something(
    given: Surroundings,
) -> None:
    headers = consultant(given, admin=True)
    async with intake(given) as client:
        candidate = await stored(client, given)
        need = (await client.post("/api/needs", json=a_need())).json()
        correction = {"target": "add_skill", "skill": "golang", "level": "4"}
        for path, fields in (
            (f"/candidates/{candidate}/reveal?lang=en", {"need": need["need_id"]}),
            (f"/candidates/{candidate}/corrections?lang=en", correction),
            (f"/needs/{need['need_id']}/filled?lang=en", {"filled": "1"}),
        ):
            page = await client.get(f"/candidates/{candidate}?lang=en", headers=headers)
            revision = page.text.partition('name="revision" value="')[2].partition('"')[0]
            answer = await client.post(path, data=fields | {"revision": revision}, headers=headers)
            assert answer.status_code == 303, (path, answer.text)
        pages = (f"/candidates/{candidate}", "/candidates/reveals", f"/needs/{need['need_id']}")
        for path in pages:
            assert "c-1" in plain(await client.get(f"{path}?lang=en", headers=headers)), path

        older = CONSULTANT.model_copy(update={"name": "Former Name"})
        async with publisher(given.kafka_bootstrap) as sender:
            await sender.publish(FEEDBACK, a_feedback(need["need_id"], Decision.TAKEN))
            earlier = {"consultant": older, "occurred_at": now() - timedelta(days=1), "feedback_id": "f2"}
            await sender.publish(FEEDBACK, a_feedback(need["need_id"], Decision.PASSED_ON, **earlier))
            # Another one's, after both on the same partition: once it is known, they were handled.
            last = {"consultant": CONSULTANT.model_copy(update={"consultant_id": "c-9"}), "feedback_id": "f3"}
            await sender.publish(FEEDBACK, a_feedback(need["need_id"], Decision.ACCEPTED, **last))
        colleagues = given.mongo("intake").collection("colleagues")
        await until(lambda: colleagues.find_one({"_id": "c-9"}))
        for path in pages:
            shown = plain(await client.get(f"{path}?lang=en", headers=headers))
            assert CONSULTANT.name in shown, path
            assert "Former Name" not in shown
