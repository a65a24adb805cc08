// The need form with scripts: skills as chips, how many candidates fit, a draft. Without them it works too.
import { showDoctor } from "./doctor.js";
import { keepDraft } from "./draft.js";
import { skillChips } from "./skills.js";

const form = document.getElementById("need");
const words = JSON.parse(document.getElementById("skills").dataset.words);
const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

const chips = skillChips(form, say);
keepDraft(form, say, chips);
showDoctor(form, say);

const summary = document.querySelector(".errors");
if (summary) summary.focus();
