/** The review queue by lane, and the way to the review page, which the same host serves. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { withToken } from "../token.js";
import { usePart } from "./host.js";
import { Facts, Nothing, Part, Table, When } from "./pieces.js";
import { count } from "./words.js";

const LANES = {
  "0-adjudicate": ["Adjudicate", "Its reviewers disagree."],
  "1-again": ["Again", "It needs another reviewer, or came back."],
  "2-feedback": ["Feedback", "Somebody who uses the model proposed an answer."],
  "3-uncertain": ["Uncertain", "The model was not confident."],
  "4-contradicted": ["Contradicted", "A model contradicts the label in the data."],
  "5-audit": ["Audit", "Taken at random, so that what nobody doubts is looked at, too."],
  "6-passed": ["Passed", "Somebody skipped it, or was not sure."],
};
const counted = ({ count: number, more }) => `${count(number)}${more ? " or more" : ""}`;

export function Queue({ what, session, of }) {
  const part = usePart(of("queue"), { every: 15000 });
  const here = session.reviews && session.chosen === what.name;
  return html`<div class="title"><h1 tabindex="-1">Review</h1><div class="buttons">
      ${here && html`<a class="button" href=${withToken("../review/")} target="_blank" rel="noopener">Review now (new tab)</a>`}</div></div>
    ${!here && html`<p>To review this flywheel's items: <code>flywheel --name ${what.name} review</code></p>`}
    <${Part} part=${part}>${(found) => {
      const lanes = Object.entries(found.waiting);
      const empty = lanes.every(([, one]) => one.count === 0);
      return html`${empty && html`<${Nothing}>Nothing waits for a reviewer.<//>`}
        <${Table} label="What waits, by lane" rows=${lanes} columns=${[
          { title: "Lane", of: ([lane]) => LANES[lane]?.[0] ?? lane },
          { title: "Waiting", number: true, of: ([, one]) => counted(one) },
          { title: "Why it waits", wide: true, of: ([lane]) => LANES[lane]?.[1] ?? "" },
        ]} />
        <${Facts} facts=${[
          ["Held by reviewers", counted(found.claimed)],
          ["Answered, not published", counted(found.answered)],
          ["Oldest answer", found.oldest_answer && html`<${When} at=${found.oldest_answer} ago />`],
        ]} />`;
    }}<//>`;
}
