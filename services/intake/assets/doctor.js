// How many candidates fit the need while it is being typed, and what each must costs: /api/preview says.

const WAIT = 600;
const NUMBER = /^[0-9]{1,9}$/;

export function showDoctor(form, say) {
  const panel = form.querySelector(".doctor");
  const says = panel.querySelector(".says");
  const costs = panel.querySelector(".costs");
  const rounded = panel.querySelector(".rounded");
  let timer = null;
  let asked = 0;

  function show(lines, musts = [], note = "") {
    says.textContent = lines.join("\n");
    costs.replaceChildren(...musts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    rounded.textContent = note;
  }

  async function ask() {
    asked += 1;
    const mine = asked;
    const need = needOf(form);
    if (!need.title && !need.role_id) {
      show([say("doctor_waiting")]);
      return;
    }
    let answer = null;
    try {
      answer = await preview(panel.dataset.preview, need);
    } catch {
      // Shown below: the form does without.
    }
    if (mine !== asked) return;
    if (answer) tell(answer, need);
    else show([say("doctor_away")]);
  }

  function tell(answer, need) {
    const count = (figure) => (typeof figure === "number" ? String(figure) : say("fewer_than_5"));
    const lines = [
      answer.eligible === 0 ? say("doctor_none") : say("doctor_eligible", { count: count(answer.eligible) }),
    ];
    const asks = need.skills.some((one) => one.must);
    if (asks && answer.eligible !== 0) lines.push(say("doctor_covering", { count: count(answer.covering_musts) }));
    const cost = (must, more, before) => {
      if (more === 0) return null;
      if (typeof more !== "number") return say("doctor_few_more", { must });
      return say("doctor_without", {
        must, before: count(before), after: more + (typeof before === "number" ? before : 0),
      });
    };
    const musts = [
      ...Object.entries(answer.without).map(([must, more]) => cost(say(`hard_${must}`), more, answer.eligible)),
      ...Object.entries(answer.without_skill).map(([skill, more]) => cost(nameOf(form, skill), more, answer.covering_musts)),
    ];
    show(lines, musts.filter(Boolean), say("doctor_rounded"));
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  ask();
}

// Once more without what the catalogue refuses: an unknown skill must not hide the rest of the answer.
async function preview(address, need) {
  for (let tries = 0; tries < 2; tries += 1) {
    const answer = await fetch(address, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ need }),
    });
    if (answer.ok) return answer.json();
    if (answer.status !== 422) return null;
    const { errors = [] } = await answer.json();
    const paths = errors.map(({ pointer }) => pointer.split("/").slice(2)).filter((path) => path.length);
    if (!paths.length) return null;
    const bad = (name) => paths.filter(([field]) => field === name).map(([, at]) => Number(at));
    for (const [field] of paths) {
      if (Array.isArray(need[field])) need[field] = need[field].filter((_, at) => !bad(field).includes(at));
      else delete need[field];
      if (Array.isArray(need[field])) continue;
      need.musts = need.musts.filter((must) => must !== field);
    }
    for (const path of paths) path.length = 0;
  }
  return null;
}

function nameOf(form, skill) {
  for (const item of form.querySelectorAll("ul.skills li")) {
    if (item.querySelector("[name=skill]").value === skill) return item.querySelector(".name").textContent;
  }
  return skill;
}

// The same request that the server makes of the form, less whatever is half typed.
function needOf(form) {
  const sent = new FormData(form);
  const text = (name) => (sent.get(name) || "").trim();
  const number = (name) => {
    const compact = text(name).replace(/\s/g, "").replace(/€$/, "");
    return NUMBER.test(compact) ? Number(compact) : null;
  };
  const need = {
    skills: sent.getAll("skill").map((skill) => ({
      skill, level: Number(sent.get(`level_${skill}`)) || 3, must: sent.get(`must_${skill}`) === "on",
    })),
    contracts: sent.getAll("contracts"),
    languages: [],
    locale: document.documentElement.lang,
  };
  for (const name of ["role_id", "title", "seniority", "remote", "start_by"]) if (text(name)) need[name] = text(name);
  for (const name of ["min_years", "min_education"]) if (number(name) !== null) need[name] = number(name);
  const place = text("place");
  if (place) need.location = { country: place.split("-")[0], ...(place.includes("-") ? { region: place } : {}) };
  const budget = {};
  for (const name of ["day_rate", "salary"]) if (number(name)) budget[name] = number(name);
  if (Object.keys(budget).length) need.budget = budget;
  for (let row = 1; sent.has(`language_${row}`); row += 1) {
    const level = text(`language_level_${row}`);
    if (text(`language_${row}`)) need.languages.push({ language: text(`language_${row}`), ...(level ? { level } : {}) });
  }
  const given = (must) => must === "skills" || (need[must] !== undefined && need[must].length !== 0);
  need.musts = sent.getAll("musts").filter(given);
  return need;
}
