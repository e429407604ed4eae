// WhatsApp's marks as elements: *bold* _italic_ ~strike~ `code` ```block```, lists and quotes. Text stays text.

const MARKS = { "*": "strong", "_": "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;

function isWord(character) {
  return character !== undefined && WORD.test(character);
}

// Where the mark that opens at `start` closes; -1 if it does not: no space inside its ends, no letter outside.
function closing(text, start) {
  const mark = text[start];
  if (isWord(text[start - 1]) || text[start + 1] === undefined || /\s/.test(text[start + 1])) return -1;
  for (let at = start + 2; at < text.length; at += 1) {
    const ends = text[at] === mark && text[at - 1] !== mark && !/\s/.test(text[at - 1]);
    if (ends && !isWord(text[at + 1])) return at;
  }
  return -1;
}

function element(name, kind, ...children) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}

function inline(text) {
  const parts = [];
  let plain = "";
  for (let at = 0; at < text.length; at += 1) {
    let end = -1;
    let made = null;
    if (text[at] === "`") {
      end = text.indexOf("`", at + 1);
      if (end > at + 1) made = element("code", "", text.slice(at + 1, end));
    } else if (MARKS[text[at]] && text[at + 1] !== text[at]) {
      end = closing(text, at);
      if (end > 0) made = element(MARKS[text[at]], "", ...inline(text.slice(at + 1, end)));
    }
    if (made === null) {
      plain += text[at];
      continue;
    }
    if (plain) parts.push(plain);
    plain = "";
    parts.push(made);
    at = end;
  }
  if (plain) parts.push(plain);
  return parts;
}

function line(text) {
  if (text.startsWith("> ")) return [element("span", "quoted-line", ...inline(text.slice(2)))];
  if (/^[-*] /.test(text)) return [element("span", "bullet", ...inline(text.slice(2)))];
  return inline(text);
}

// A fragment with what the text says.
export function marked(text) {
  const fragment = document.createDocumentFragment();
  text.split(/```([\s\S]+?)```/).forEach((piece, index) => {
    if (index % 2) {
      fragment.append(element("code", "block", piece));
      return;
    }
    piece.split("\n").forEach((one, number) => {
      if (number) fragment.append("\n");
      fragment.append(...line(one));
    });
  });
  return fragment;
}

// The text without its marks, for one line of the list.
export function unmarked(text) {
  return marked(text).textContent.replaceAll("\n", " ");
}
