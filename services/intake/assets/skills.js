// Skills as chips, added through a combobox (ARIA Authoring Practices: editable, with list autocomplete).
// Each chip holds the fields that the form sends without scripts too, so the server knows one form only.

const MOST = 60;
const SHOWN = 8;
const WAIT = 150;

export function skillChips(form, say) {
  const box = form.querySelector("#skills");
  const list = box.querySelector("ul.skills");
  const input = box.querySelector("#other_skills");
  const status = box.querySelector("[role=status]");
  const offers = box.querySelector(".offered");
  const locale = document.documentElement.lang;
  const changed = () => form.dispatchEvent(new Event("input", { bubbles: true }));
  const announce = (text) => { status.textContent = text; };
  const has = (skill) => all().some((one) => one.skill.toLowerCase() === skill.toLowerCase());

  function all() {
    return [...list.children].map((item) => ({
      skill: item.querySelector("[name=skill]").value,
      label: item.querySelector(".name").textContent,
      level: item.querySelector("select").value,
      must: item.querySelector("[name^=must_]").checked,
    }));
  }

  // A row of the page becomes a chip: its tick goes, a button removes it.
  function asChip(item) {
    const tick = item.querySelector("[name=skill]");
    const label = item.querySelector(".name").textContent;
    tick.checked = true;
    tick.hidden = true;
    item.querySelector(".tick .hint")?.remove();
    const must = item.querySelector("[name^=must_]");
    const mark = () => item.classList.toggle("must", must.checked);
    must.addEventListener("change", mark);
    mark();
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", say("remove", { skill: label }));
    remove.addEventListener("click", () => take(item, true));
    item.append(remove);
  }

  function add(skill, label, { level = "3", must = false, quiet = false } = {}) {
    const name = skill.trim();
    if (!name || has(name)) return;
    if (list.children.length >= MOST) {
      announce(say("too_many_skills"));
      return;
    }
    const item = document.createElement("li");
    const tick = document.createElement("label");
    tick.className = "tick";
    const sent = Object.assign(document.createElement("input"), { type: "checkbox", name: "skill", value: name });
    tick.append(sent, Object.assign(document.createElement("span"), { className: "name", textContent: label }));
    const levels = Object.assign(document.createElement("select"), { name: `level_${name}` });
    levels.setAttribute("aria-label", say("level_of", { skill: label }));
    for (let number = 1; number <= 5; number += 1) levels.append(new Option(number, number));
    levels.value = level;
    const must_label = document.createElement("label");
    must_label.className = "tick";
    const musts = Object.assign(document.createElement("input"), { type: "checkbox", name: `must_${name}`, checked: must });
    musts.setAttribute("aria-label", `${label} : ${say("indispensable")}`);
    must_label.append(musts, say("indispensable"));
    item.append(tick, levels, must_label);
    list.append(item);
    asChip(item);
    withdrawOffer(name);
    if (!quiet) {
      announce(say("added", { skill: label }));
      changed();
    }
  }

  function take(item, focusNext) {
    const label = item.querySelector(".name").textContent;
    const skill = item.querySelector("[name=skill]").value;
    const next = item.nextElementSibling || item.previousElementSibling;
    item.remove();
    offer(skill, label);
    announce(say("removed", { skill: label }));
    if (focusNext) (next?.querySelector(".remove") || input).focus();
    changed();
  }

  // What the text names, or the role asks for and was removed: one click adds it, nothing else does.
  function offer(skill, label) {
    if (has(skill) || [...offers.querySelectorAll("button")].some((one) => one.dataset.skill === skill)) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: `+ ${label}` });
    button.dataset.skill = skill;
    button.setAttribute("aria-label", say("offer", { skill: label }));
    button.addEventListener("click", () => {
      add(skill, label);
      input.focus();
    });
    const item = document.createElement("li");
    item.append(button);
    offers.querySelector("ul").append(item);
    offers.hidden = false;
  }

  function withdrawOffer(skill) {
    for (const button of offers.querySelectorAll("button")) {
      if (button.dataset.skill === skill) button.parentElement.remove();
    }
    offers.hidden = !offers.querySelector("button");
  }

  offers.querySelector("#offered-title").textContent = say("named_in_text");
  box.querySelector(".how").textContent = say("skills_hint");
  list.classList.add("chips");
  for (const item of [...list.children]) {
    const tick = item.querySelector("[name=skill]");
    if (tick.checked) asChip(item);
    else {
      item.remove();
      offer(tick.value, item.querySelector(".name").textContent);
    }
  }
  if (input.getAttribute("aria-invalid") !== "true") {
    for (const typed of input.value.split(/[,;\n]/)) add(typed, typed.trim(), { quiet: true });
    input.value = "";
  }
  combobox(box, input, { say, announce, add, has, locale, removeLast: () => {
    if (list.lastElementChild) take(list.lastElementChild, false);
  } });
  readText(form, { offer, locale });
  const set = (skills) => {
    list.replaceChildren();
    for (const one of skills) add(one.skill, one.label, { ...one, quiet: true });
  };
  return { all, set };
}

function combobox(box, input, { say, announce, add, has, locale, removeLast }) {
  const options = Object.assign(document.createElement("ul"), { id: "skill-options", hidden: true });
  options.setAttribute("role", "listbox");
  options.setAttribute("aria-label", say("add_skill"));
  input.closest(".combo").append(options);
  box.querySelector("label[for=other_skills]").textContent = say("add_skill");
  box.querySelector("#other_skills-hint").textContent = say("add_skill_hint");
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": options.id,
  })) input.setAttribute(name, value);
  input.setAttribute("autocomplete", "off");
  input.removeAttribute("maxlength");

  let found = [];
  let active = -1;
  let asked = 0;
  let timer = null;

  function close() {
    asked += 1; // an answer that is still on its way comes too late
    clearTimeout(timer);
    found = [];
    active = -1;
    options.hidden = true;
    options.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function activate(number) {
    active = found.length ? (number + found.length) % found.length : -1;
    [...options.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
    if (active < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", options.children[active].id);
      options.children[active].scrollIntoView({ block: "nearest" });
    }
  }

  function choose(number) {
    const { skill, label } = found[number];
    input.value = "";
    close();
    add(skill, label);
  }

  function show(skills) {
    found = skills;
    options.replaceChildren(...skills.map(({ label }, at) => {
      const option = Object.assign(document.createElement("li"), { id: `skill-option-${at}`, textContent: label });
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.addEventListener("mousedown", (event) => {
        event.preventDefault(); // the field keeps the focus
        choose(at);
      });
      return option;
    }));
    active = -1;
    input.removeAttribute("aria-activedescendant");
    options.hidden = !skills.length;
    input.setAttribute("aria-expanded", String(skills.length > 0));
    const typed = say("enter_adds", { skill: input.value.trim() });
    if (!skills.length) announce(`${say("no_suggestion")}. ${typed}`);
    else announce(skills.length === 1 ? say("one_suggestion") : say("suggestions", { count: skills.length }));
  }

  async function ask() {
    const text = input.value.trim();
    asked += 1;
    const mine = asked;
    if (!text) {
      close();
      return;
    }
    let skills;
    try {
      const answer = await fetch(`/api/skills?${new URLSearchParams({ q: text, limit: SHOWN })}`);
      if (!answer.ok) throw new Error(answer.status);
      skills = (await answer.json()).items.map((one) => ({ skill: one.skill_id, label: one.label[locale] }));
    } catch {
      if (mine === asked) announce(`${say("catalogue_away")} ${say("enter_adds", { skill: text })}`);
      return;
    }
    if (mine === asked) show(skills.filter(({ skill }) => !has(skill)));
  }

  // What was typed, where it is the name of a suggestion; else as it is: the server knows more names.
  function addTyped() {
    for (const part of input.value.split(/[,;]/)) {
      const name = part.trim();
      const known = found.find(({ skill, label }) => [skill, label.toLowerCase()].includes(name.toLowerCase()));
      add(known ? known.skill : name, known ? known.label : name);
    }
    input.value = "";
    close();
  }

  input.addEventListener("input", (event) => {
    if (/[,;]/.test(input.value)) {
      addTyped();
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
    event.stopPropagation(); // half a name is no change of the need
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const moves = { ArrowDown: active + 1, ArrowUp: active < 0 ? found.length - 1 : active - 1 };
    if (event.key in moves && found.length) {
      event.preventDefault();
      activate(moves[event.key]);
    } else if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      if (active >= 0) choose(active);
      else addTyped();
    } else if (event.key === "Escape" && (found.length || input.value)) {
      event.preventDefault();
      if (found.length) close();
      else input.value = "";
    } else if (event.key === "Backspace" && !input.value) {
      removeLast();
    }
  });
  input.addEventListener("blur", () => close());
}

// The service reads the free text for skills; they are offered, never asked for by themselves.
function readText(form, { offer, locale }) {
  const text = form.querySelector("#description");
  let timer = null;
  let asked = 0;
  const read = async () => {
    asked += 1;
    const mine = asked;
    if (!text.value.trim()) return;
    try {
      const body = new URLSearchParams({ text: text.value });
      const answer = await fetch(`/needs/offered?lang=${locale}`, { method: "POST", body });
      if (!answer.ok || mine !== asked) return;
      for (const { skill, label } of (await answer.json()).offered) offer(skill, label);
    } catch {
      // An offer less; the page of the need makes it again.
    }
  };
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(read, 800);
  });
  if (text.value) read();
}
