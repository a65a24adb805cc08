// Keeps the status page current: each message says that the need changed, and the server renders it anew, so
// that there is one template and one set of words.
const live = document.getElementById("live");

function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.textContent = moment.toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "medium" });
    }
  }
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh) return;
  showLocalTimes(fresh);
  if (fresh.innerHTML !== live.innerHTML) live.innerHTML = fresh.innerHTML;
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

showLocalTimes(document);
if ("EventSource" in window) {
  const stream = new EventSource(live.dataset.events);
  stream.addEventListener("need", refreshSoon);
  stream.addEventListener("gone", () => stream.close());
  // EventSource gives up for good on an error status: then ask now and again instead.
  let polling = null;
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED && polling === null) polling = setInterval(refreshSoon, 10000);
  });
} else {
  setInterval(refreshSoon, 10000);
}
