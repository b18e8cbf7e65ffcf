"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const state = { picture: 0, method: 0, left: null, view: "picture", order: "", score: 0, sort: null };
  let order = data.pictures.map((_, i) => i);
  let before = 0;

  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== null) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const option = (select, value, text) => select.append(make("option", text, { value }));
  const number = (value) => {
    if (value === null) return "–";
    const size = Math.abs(value);
    return value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 3);
  };
  const arrow = (column) => ({ 1: " ↑", "-1": " ↓", 0: "" })[column.better];
  const best = (values, better) => {
    const known = values.filter((value) => value !== null);
    if (!better || known.length < 2) return null;
    return better > 0 ? Math.max(...known) : Math.min(...known);
  };
  const file = (picture, name) => `pictures/${picture.file}/${name}`;

  // Which pictures there are to look at: "truth", "gray" or the number of a method.
  const source = (picture, which) => {
    if (which === "truth") return { src: file(picture, "_truth.jpg"), label: "truth", alt: `${picture.name}: the true colours` };
    if (which === "gray") return { src: file(picture, "_gray.jpg"), label: "gray", alt: `${picture.name}: gray` };
    const method = data.methods[which];
    return { src: file(picture, `${method.file}.jpg`), label: method.name, alt: `${picture.name} coloured by ${method.name}` };
  };
  const mapOf = (picture, which, view) => {
    const method = data.methods[which];
    return {
      src: file(picture, `${method.file}.${view.key}.jpg`), label: `${method.name}: ${view.label}`,
      alt: `${picture.name}: map of ${view.label} of ${method.name}, bright where it is large`,
    };
  };
  const show = (image, { src, alt }) => {
    if (image.getAttribute("src") !== src) image.src = src;
    image.alt = alt;
  };

  const draw = () => {
    const picture = data.pictures[state.picture];
    const view = data.views.find((each) => each.key === state.view);
    const hasView = view && (picture.truth || !view.truth);
    let left = state.left;
    if (left === null || (left === "truth" && !picture.truth)) left = picture.truth && state.left !== "gray" ? "truth" : "gray";
    const first = source(picture, left);
    const second = hasView ? mapOf(picture, state.method, view) : source(picture, state.method);
    at("stage").style.setProperty("--ratio", picture.size[0] / picture.size[1]);
    show(at("left-image"), first);
    show(at("right-image"), second);
    at("left-tag").textContent = first.label;
    at("right-tag").textContent = second.label;
    at("left").value = String(left);
    at("view").value = hasView ? state.view : "picture";
    at("scale").hidden = !hasView;
    if (hasView) at("scale-end").textContent = view.end;
    at("caption").textContent = `${picture.name}, ${picture.size[0]} × ${picture.size[1]}. Left: ${first.label}. Right: ${second.label}.`;
    at("place").textContent = `${order.indexOf(state.picture) + 1} of ${order.length}`;
    for (const button of document.querySelectorAll("[data-method]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.method) === state.method));
    }
    for (const button of at("thumbs").children) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.picture) === state.picture));
    }
    drawOwn(picture);
  };

  const drawOwn = (picture) => {
    const head = make("tr", null);
    head.append(make("th", picture.name, { scope: "col" }));
    for (const column of data.columns) head.append(make("th", column.label + arrow(column), { scope: "col" }));
    const bests = data.columns.map((column, c) => best(picture.scores.map((row) => row[c]), column.better));
    const rows = data.methods.map((method, m) => {
      const row = make("tr", null);
      row.append(make("th", method.name, { scope: "row" }));
      picture.scores[m].forEach((value, c) => {
        const cell = make("td", null);
        cell.append(make(value !== null && value === bests[c] ? "strong" : "span", number(value)));
        row.append(cell);
      });
      return row;
    });
    const top = make("thead", null), body = make("tbody", null);
    top.append(head);
    body.append(...rows);
    at("own").replaceChildren(top, body);
  };

  const drawThumbs = () => {
    at("thumbs").replaceChildren(...order.map((i) => {
      const picture = data.pictures[i];
      const button = make("button", null, { type: "button", "data-picture": i, title: picture.name, "aria-pressed": "false" });
      button.append(make("img", null, { loading: "lazy", alt: picture.name, src: file(picture, "_small.jpg") }));
      button.addEventListener("click", () => go(i));
      return button;
    }));
  };

  // Pictures that lack the value come last.
  const worse = (better, of) => (i, j) => {
    const [a, b] = [of(i), of(j)];
    if (a === null || b === null) return (a === null) - (b === null);
    return (better || 1) * (a - b);
  };
  const reorder = () => {
    order = data.pictures.map((_, i) => i);
    if (state.order !== "") {
      const c = Number(state.order);
      order.sort(worse(data.columns[c].better, (i) => data.pictures[i].scores[state.method][c]));
    }
    drawThumbs();
  };

  const drawTable = () => {
    const column = data.columns[state.score];
    const rows = data.pictures.map((_, i) => i);
    if (state.sort !== null) rows.sort(worse(column.better, (i) => data.pictures[i].scores[state.sort][state.score]));
    const head = make("tr", null);
    const sorter = (text, key, title) => {
      const active = state.sort === key;
      const cell = make("th", null, { scope: "col", "aria-sort": active ? (key === null || column.better >= 0 ? "ascending" : "descending") : "none" });
      const button = make("button", text + (active ? " ▾" : ""), { type: "button", title });
      button.addEventListener("click", () => { state.sort = key; drawTable(); });
      cell.append(button);
      return cell;
    };
    head.append(sorter("Picture", null, "by name"), ...data.methods.map((method, m) => sorter(method.name, m, "worst first")));
    const body = make("tbody", null);
    for (const i of rows) {
      const picture = data.pictures[i];
      const values = picture.scores.map((row) => row[state.score]);
      const top = best(values, column.better);
      const row = make("tr", null), name = make("th", null, { scope: "row" });
      const button = make("button", picture.name, { type: "button" });
      button.addEventListener("click", () => { go(i); at("pictures").scrollIntoView(); });
      name.append(button);
      row.append(name);
      for (const value of values) {
        const cell = make("td", null);
        cell.append(make(value !== null && value === top ? "strong" : "span", number(value)));
        row.append(cell);
      }
      body.append(row);
    }
    const thead = make("thead", null);
    thead.append(head);
    at("table").replaceChildren(thead, body);
  };

  const go = (i) => {
    state.picture = i;
    draw();
    const near = [...at("thumbs").children].find((button) => Number(button.dataset.picture) === i);
    const box = at("thumbs");
    if (near && (near.offsetTop < box.scrollTop || near.offsetTop + near.offsetHeight > box.scrollTop + box.clientHeight)) {
      box.scrollTop = near.offsetTop + (near.offsetHeight - box.clientHeight) / 2;
    }
  };
  const step = (by) => go(order[(order.indexOf(state.picture) + by + order.length) % order.length]);
  const choose = (method) => {
    if (method >= data.methods.length) return;
    if (method !== state.method) before = state.method;
    state.method = method;
    if (state.order !== "") reorder();
    draw();
  };
  const look = (view) => { state.view = view; draw(); };

  const slide = () => at("stage").style.setProperty("--at", `${at("slider").value}%`);
  at("slider").addEventListener("input", slide);
  // After a drag the arrow keys are for pictures again; who came by keyboard keeps the slider.
  at("slider").addEventListener("pointerup", () => at("slider").blur());

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
    if (event.key.startsWith("Arrow") && event.target.matches("input, pre, .scroll")) return; // they move by arrows
    const views = ["picture", ...data.views.map((view) => view.key)];
    const actions = {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      t: () => { state.left = "truth"; draw(); },
      g: () => { state.left = "gray"; draw(); },
      b: () => { state.left = before; draw(); },
      m: () => look(views[(views.indexOf(state.view) + 1) % views.length]),
      p: () => look("picture"),
    };
    if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1);
    else if (Object.hasOwn(actions, event.key)) actions[event.key]();
    else return;
    event.preventDefault();
  });

  for (const button of document.querySelectorAll("[data-method]")) {
    button.addEventListener("click", () => choose(Number(button.dataset.method)));
  }
  at("previous").addEventListener("click", () => step(-1));
  at("next").addEventListener("click", () => step(1));

  if (data.pictures.some((picture) => picture.truth)) option(at("left"), "truth", "truth");
  option(at("left"), "gray", "gray");
  data.methods.forEach((method, m) => option(at("left"), m, method.name));
  at("left").addEventListener("change", (event) => {
    const value = event.target.value;
    state.left = value === "truth" || value === "gray" ? value : Number(value);
    draw();
  });
  option(at("view"), "picture", "picture");
  for (const view of data.views) option(at("view"), view.key, `map: ${view.label}`);
  at("view").addEventListener("change", (event) => look(event.target.value));
  option(at("order"), "", "by name");
  data.columns.forEach((column, c) => {
    option(at("order"), c, column.better ? `worst first: ${column.label}` : `least first: ${column.label}`);
    option(at("score"), c, column.label + arrow(column));
  });
  at("order").addEventListener("change", (event) => { state.order = event.target.value; reorder(); go(order[0]); });
  at("score").addEventListener("change", (event) => { state.score = Number(event.target.value); drawTable(); });

  // The first method that colours is more of a sight than gray beside gray.
  state.method = Math.max(0, data.methods.findIndex((method) => method.name !== "gray"));
  reorder();
  drawTable();
  draw();
})();
