/** An item of a document classifier: its text, and labels to give it. */
import { html, useState } from "../vendor/htm-preact-3.1.1.js";
import { Choices, numbered } from "./choices.js";
import { Others, nameOf, startOf } from "./others.js";
import { Text } from "./text.js";

function startLabels(item, known) {
  const labels = startOf(item, {
    former: (said) => said.labels,
    proposal: (said) => said.labels,
    suggestion: (said) => said.labels.filter(({ chosen }) => chosen).map(({ name }) => name),
  });
  return labels.filter((label) => known.includes(label));
}

/** What the page shows of an item: `text` and `panel`, and what `commands` do. */
export function useClassifier({ item, session, onAnswer, say, leave }) {
  const known = session.labels;
  const [start] = useState(() => startLabels(item, known));
  const [chosen, setChosen] = useState(start);
  const [whole, setWhole] = useState(false);
  const multi = session.multi_label;
  const scores = new Map((item.suggestion?.labels ?? []).map(({ name, score }) => [name, score]));
  const people = [...(item.answers ?? []), ...item.proposals];
  const choices = known.map((name) => ({
    name,
    score: scores.get(name) ?? null,
    said: [...new Set(people.filter(({ labels }) => labels.includes(name)).map(({ by }) => nameOf(by)))],
    suggested: start.includes(name),
    chosen: multi && chosen.includes(name),
  }));
  const said = (item.suggestion?.labels ?? []).filter((label) => label.chosen).map(({ name }) => name);
  const gone = said.filter((name) => !known.includes(name));
  const take = ({ labels }) => setChosen(known.filter((name) => labels.includes(name)));
  const many = numbered(choices).length < choices.length;
  const answer = (labels) => onAnswer({ verdict: "ANSWER", labels });

  const choose = (name) => {
    if (!multi) return answer([name]);
    const without = chosen.filter((other) => other !== name);
    const given = without.length === chosen.length;
    // In the order of the flywheel's labels, however they were given: the same answer is the same request.
    setChosen(given ? known.filter((label) => label === name || chosen.includes(label)) : without);
    return say(`${name} is ${given ? "given" : "taken away"}.`);
  };
  const accept = () => {
    if (multi && chosen.length) return answer(chosen);
    if (!multi && start.length) return answer([start[0]]);
    return say(`Nothing is chosen: choose a ${session.label_word} first, or skip the text.`);
  };
  const commands = {
    accept,
    choose: ({ number }) => {
      const choice = numbered(choices)[number - 1];
      if (choice) choose(choice.name);
      else say(`No ${session.label_word} has the number ${number}.`);
    },
  };
  const text = html`
    <${Text} text=${item.text} whole=${whole} onWhole=${() => setWhole(true)} />
    ${gone.length > 0 && html`<p class="notice mild">
      ${`The model said ${gone.join(", ")}, which this flywheel has no more.`}</p>`}
    <${Others} item=${item} onTake=${multi ? take : null} />
  `;
  const panel = html`
    <${Choices} heading=${multi ? `Every ${session.label_word} that fits` : `Which ${session.label_word}?`}
      word=${session.label_word} choices=${choices} toggles=${multi} enter=${!multi} onChoose=${choose}
      onAccept=${accept} onLeave=${leave} />
  `;
  const given = chosen.length === 1 ? `1 ${session.label_word}` : `${chosen.length || "no"} ${session.label_word}s`;
  // Those that are given may have no number, and then no check box that is seen.
  const summary = multi && many ? `Given: ${chosen.join(", ") || "nothing"}` : null;
  return { text, panel, commands, summary, ready: multi ? `Accept ${given}` : null };
}
