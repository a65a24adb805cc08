// Keeps the status page current: each message says that the need changed, and the server renders it anew, so
// that there is one template and one set of words.
const live = document.getElementById("live");
const POLL = 10000;
const locale = document.documentElement.lang === "en" ? "en-GB" : "fr-FR";

function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.textContent = moment.toLocaleString(locale, { dateStyle: "long", timeStyle: "medium" });
    }
  }
}

// The need that was sent from this browser is stored: its draft goes.
function forgetDraft() {
  try {
    if (sessionStorage.getItem("need-sent") === null) return;
    sessionStorage.removeItem("need-sent");
    sessionStorage.removeItem("need-draft");
    localStorage.removeItem("need-draft");
  } catch {
    // No storage, no draft.
  }
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh) return;
  showLocalTimes(fresh);
  replaceChanged(live, fresh);
}

// Part by part, so that a link that has the focus keeps it, and only what is new is read out.
function replaceChanged(old, fresh) {
  if (old.children.length !== fresh.children.length) {
    old.replaceChildren(...fresh.childNodes);
    return;
  }
  [...fresh.children].forEach((part, at) => {
    const was = old.children[at];
    if (was.isEqualNode(part)) return;
    if (was.getAttribute("role") === "status") was.innerHTML = part.innerHTML;
    else was.replaceWith(part);
  });
}

showLocalTimes(document);
if (live) {
  forgetDraft();
  freshness.follow({ url: live.dataset.events, event: "need", every: POLL, ask: refresh });
}
