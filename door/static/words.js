// The sentences that scripts show stand in chat.html, beside all others.
const { dataset } = document.getElementById("words");

/** The sentence with this name, as written in the template's data- attributes. */
export function word(name) {
  return dataset[name];
}
