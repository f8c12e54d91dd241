// Puts a screen into the page. The server wrote the markup and named the places; nothing is decided here.
//   data-text="path"        text of the element (never markup)
//   data-show / data-hide   shown with / without a value at the path
//   data-bind="name:path …" attributes
//   data-each="path"        one copy of the <template> per item
//   data-age="path"         seconds ago, counted on by age.js

import {setAge} from "./age.js";

const ATTRIBUTES = /^(data-[a-z-]+|x|width)$/;

export function fill(element, scope) {
  const {text, show, hide, bind, each, age} = element.dataset;
  if (show !== undefined) setHidden(element, !has(at(scope, show)));
  if (hide !== undefined) setHidden(element, has(at(scope, hide)));
  if (bind !== undefined) for (const pair of bind.split(" ")) bindOne(element, pair, scope);
  if (age !== undefined) return setAge(element, at(scope, age));
  if (text !== undefined) return setText(element, at(scope, text));
  if (each !== undefined) return fillList(element, at(scope, each));
  for (const child of element.children) fill(child, scope);
}

function fillList(list, items) {
  const pattern = list.querySelector(":scope > template");
  while (list.children.length - 1 > items.length) list.lastElementChild.remove();
  while (list.children.length - 1 < items.length) list.append(pattern.content.cloneNode(true));
  items.forEach((item, index) => fill(list.children[index + 1], item));
}

function bindOne(element, pair, scope) {
  const [name, path] = pair.split(":");
  const value = String(at(scope, path));
  const allowed = name === "href" ? element.localName === "use" && value.startsWith("#") : ATTRIBUTES.test(name);
  if (allowed && element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function setText(element, value) {
  const text = String(value);
  if (element.textContent !== text) element.textContent = text;
}

function setHidden(element, hidden) {
  element.toggleAttribute("hidden", hidden);  // SVG elements have the attribute, but no property
}

function has(value) {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function at(scope, path) {
  let value = scope;
  for (const name of path.split(".")) value = value?.[name];
  return value ?? "";
}
