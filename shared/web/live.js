// Tells a page when to ask for itself again: by server-sent events, and by the clock where those do not come (no
// EventSource, a proxy that holds them back, an error for good). One asking at a time; a message that comes
// meanwhile asks once more. While nobody looks at the page the stream rests: a browser keeps only a few
// connections to one server, and somebody may have many pages open.
//
// freshness.follow({ url, event, every, ask }): `ask` is a function that asks, `every` the pause between two askings
// without a stream, `event` the message that means that something changed; `gone` means that nothing will.
const freshness = {
  SILENCE: 20000,

  follow({ url, event, every, ask }) {
    let stream = null;
    let silence = null;
    let polling = null;
    let busy = false;
    let again = false;
    let over = false;

    async function soon() {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      try {
        await ask();
      } catch {
        // The network is away; the stream reconnects and says so.
      }
      busy = false;
      if (again) {
        again = false;
        soon();
      }
    }

    function poll() {
      if (polling === null && !over) polling = setInterval(soon, every);
    }

    function rest() {
      clearTimeout(silence);
      clearInterval(polling);
      polling = null;
      if (stream) stream.close();
      stream = null;
    }

    function open() {
      rest();
      if (over) return;
      if (!("EventSource" in window)) {
        poll();
        return;
      }
      stream = new EventSource(url);
      silence = setTimeout(poll, freshness.SILENCE);
      stream.addEventListener(event, () => {
        clearTimeout(silence);
        clearInterval(polling);
        polling = null;
        soon();
      });
      stream.addEventListener("gone", () => {
        over = true;
        rest();
      });
      // EventSource gives up for good on an error status.
      stream.addEventListener("error", () => {
        if (stream && stream.readyState === EventSource.CLOSED) poll();
      });
    }

    document.addEventListener("visibilitychange", () => {
      rest();
      if (!document.hidden) {
        soon();
        open();
      }
    });
    // A page that the browser keeps for "back" comes to life again with its stream closed.
    window.addEventListener("pagehide", rest);
    window.addEventListener("pageshow", shown => {
      if (shown.persisted) {
        soon();
        open();
      }
    });
    if (!document.hidden) open();
    return soon;
  },
};
