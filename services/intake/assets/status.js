// Keeps the status page current: each message says that the need changed, and the server renders it anew, so
// that there is one template and one set of words.
const live = document.getElementById("live");
const POLL = 10000;
const SILENCE = 20000;
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

// One refresh at a time; a message that comes meanwhile asks for one more.
let busy = false;
let again = false;
async function refreshSoon() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    await refresh();
  } catch {
    // The network is away; the stream reconnects and sends the need again.
  }
  busy = false;
  if (again) {
    again = false;
    refreshSoon();
  }
}

function follow() {
  let polling = null;
  const poll = () => {
    if (polling === null) polling = setInterval(refreshSoon, POLL);
  };
  if (!("EventSource" in window)) {
    poll();
    return;
  }
  const stream = new EventSource(live.dataset.events);
  // A proxy that holds the stream back lets nothing through: then ask now and again beside it.
  const silence = setTimeout(poll, SILENCE);
  stream.addEventListener("need", () => {
    clearTimeout(silence);
    if (polling !== null) clearInterval(polling);
    polling = null;
    refreshSoon();
  });
  stream.addEventListener("gone", () => stream.close());
  // EventSource gives up for good on an error status.
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) poll();
  });
}

showLocalTimes(document);
if (live) {
  forgetDraft();
  follow();
}
