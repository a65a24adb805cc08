// Keeps the page of an erasure current until every service has confirmed. The server renders it, so that there
// is one template and one set of words.
const live = document.getElementById("live");

function showLocalTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.textContent = moment.toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
    }
  }
}

async function look() {
  if (live.dataset.complete === "yes") return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (fresh && fresh.innerHTML !== live.dataset.shown) {
        live.dataset.shown = fresh.innerHTML;
        live.innerHTML = fresh.innerHTML;
        live.dataset.complete = fresh.dataset.complete;
        showLocalTimes();
      }
    }
  } catch {
    // The network is away: the next look may find it back.
  }
  setTimeout(look, 2000);
}

live.dataset.shown = live.innerHTML;
showLocalTimes();
look();
