"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const QUESTIONS = { real: "Which is the real photo?", better: "Which looks better?" };
  const PAUSE = 400; // ms of gray before each pair
  let test = null, trials = [], rows = [], current = null, timer = 0;

  // A small generator with a seed (mulberry32): the same text gives the same order in every browser.
  const generator = (text) => {
    let state = 2166136261;
    for (const sign of text) state = Math.imul(state ^ sign.codePointAt(0), 16777619);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  };
  const shuffled = (list, random) => {
    const copy = [...list];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [copy[i], copy[j]] = [copy[j], copy[i]];
    }
    return copy;
  };

  const pairsOf = (question) => {
    if (question === "real") return data.methods.map((method) => ["truth", method]);
    return data.methods.flatMap((first, i) => data.methods.slice(i + 1).map((second) => [first, second]));
  };
  const picturesOf = (question) => data.pictures.filter((picture) => question !== "real" || "truth" in picture.files);

  // In each round every picture is seen once, and the pairs take turns from one round to the next. After a multiple of
  // both numbers the turns are moved on by one, so that no picture meets a pair again.
  const plan = ({ question, seed, count }) => {
    const random = generator(seed);
    const pairs = shuffled(pairsOf(question), random);
    const pictures = shuffled(picturesOf(question), random);
    const all = [];
    let moved = 0;
    for (let round = 0; round < pairs.length; round++) {
      const before = round * pictures.length;
      if (round > 0 && before % pairs.length === 0) moved += 1;
      const turn = pictures.map((picture, i) => ({ picture, pair: pairs[(before + i + moved) % pairs.length] }));
      for (let i = 0; i < turn.length; i += pairs.length) all.push(...shuffled(turn.slice(i, i + pairs.length), random));
    }
    return all.slice(0, count).map(({ picture, pair }) => {
      const [left, right] = random() < 0.5 ? pair : [pair[1], pair[0]];
      return { picture, left, right };
    });
  };

  const load = async (image, src) => {
    image.src = src;
    try { await image.decode(); } catch { at("status").textContent = `${src} is missing; keep this page in its folder.`; }
  };
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  const next = async () => {
    clearTimeout(timer);
    current = null;
    at("pair").classList.remove("shown");
    if (rows.length === trials.length) return finish();
    const trial = trials[rows.length];
    at("progress").value = rows.length;
    at("place").textContent = `${rows.length + 1} of ${trials.length}`;
    await Promise.all([load(at("left"), trial.picture.files[trial.left]), load(at("right"), trial.picture.files[trial.right]), wait(PAUSE)]);
    if (at("trial").hidden) return; // stopped meanwhile
    at("pair").classList.add("shown");
    requestAnimationFrame((now) => { current = { trial, shown: now }; });
    if (test.seconds > 0) timer = setTimeout(() => at("pair").classList.remove("shown"), test.seconds * 1000);
  };
  const answer = (side) => {
    if (current === null) return;
    const { trial, shown } = current;
    rows.push({
      participant: test.participant, seed: test.seed, trial: rows.length + 1, question: test.question,
      picture: trial.picture.name, left: trial.left, right: trial.right, chosen: trial[side],
      seconds_shown: test.seconds, answer_ms: Math.max(0, Math.round(performance.now() - shown)),
    });
    next();
  };

  // Two-sided Wilson interval at 95%.
  const wilson = (wins, count) => {
    const z = 1.959963984540054, share = wins / count, spread = z * z / count;
    const middle = (share + spread / 2) / (1 + spread);
    const half = z / (1 + spread) * Math.sqrt(share * (1 - share) / count + spread / (4 * count));
    return [Math.max(0, middle - half), Math.min(1, middle + half)];
  };
  const tally = () => pairsOf(test.question).map(([first, second]) => {
    const seen = rows.filter((row) => [first, second].every((name) => row.left === name || row.right === name));
    const [name, against] = first === "truth" ? [second, first] : [first, second];
    return { name, against, count: seen.length, wins: seen.filter((row) => row.chosen === name).length };
  }).filter((line) => line.count > 0);

  const finish = () => {
    clearTimeout(timer);
    current = null;
    at("trial").hidden = true;
    at("end").hidden = false;
    at("thanks").focus();
    const table = document.createElement("table");
    const add = (cells, tag) => {
      const line = table.insertRow();
      for (const cell of cells) line.append(Object.assign(document.createElement(tag), { textContent: cell }));
    };
    add(["chosen", "against", "times", "share", "95% interval"], "th");
    for (const { name, against, wins, count } of tally()) {
      const percent = (value) => `${(100 * value).toFixed(1)}%`;
      add([name, against, `${wins} of ${count}`, percent(wins / count), wilson(wins, count).map(percent).join(" to ")], "td");
    }
    at("result").replaceChildren(table);
  };

  const quoted = (value) => `"${String(value).replaceAll('"', '""')}"`;
  const save = () => {
    const lines = [data.columns.join(","), ...rows.map((row) => data.columns.map((key) => quoted(row[key])).join(","))];
    const url = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
    const link = Object.assign(document.createElement("a"), {
      href: url, download: `answers-${test.question}-${test.participant.replace(/[^\p{L}\p{N}_-]+/gu, "_")}.csv`,
    });
    link.click();
    URL.revokeObjectURL(url);
    at("saved").textContent = "Saved among your downloads.";
    rows.saved = true;
  };

  const most = () => {
    const question = at("question").value;
    const count = pairsOf(question).length * picturesOf(question).length;
    at("most").textContent = count;
    at("count").max = count;
    at("count").value = Math.min(count, 100);
  };
  if (picturesOf("real").length) at("question").append(new Option(QUESTIONS.real, "real"));
  if (data.methods.length > 1) at("question").append(new Option(QUESTIONS.better, "better"));
  at("question").addEventListener("change", most);
  most();
  at("start").addEventListener("submit", (event) => {
    event.preventDefault();
    const participant = at("participant").value.trim(), question = at("question").value;
    test = { participant, question, seed: `${participant}/${question}`, seconds: Number(at("seconds").value), count: Number(at("count").value) };
    trials = plan(test);
    rows = [];
    at("asked").textContent = QUESTIONS[question];
    at("progress").max = trials.length;
    at("start").hidden = true;
    at("trial").hidden = false;
    if (document.activeElement) document.activeElement.blur();
    next();
  });
  for (const button of document.querySelectorAll("[data-answer]")) {
    button.addEventListener("click", () => answer(button.dataset.answer));
  }
  at("stop").addEventListener("click", finish);
  at("save").addEventListener("click", save);
  document.addEventListener("keydown", (event) => {
    const side = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
    if (at("trial").hidden || !side || event.repeat) return;
    event.preventDefault();
    answer(side);
  });
  window.addEventListener("beforeunload", (event) => { if (rows.length && !rows.saved) event.preventDefault(); });
})();
