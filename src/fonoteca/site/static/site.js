// Everything works without this file. It adds what needs a script: results as one types, the player's bar with its
// queue and media keys, the planner's slider, copy buttons.
import { enhanceCopy } from "./copy.js";
import { enhanceKeys, enhanceSwitch } from "./keys.js";
import { enhanceLive } from "./live.js";
import { enhanceLinks, onPage } from "./nav.js";
import { enhancePlan } from "./plan.js";
import { enhancePlay, startPlayer } from "./player.js";

function enhance(root) {
  enhancePlay(root);
  enhanceCopy(root);
  enhancePlan(root);
  enhanceSwitch();
}

startPlayer();
enhanceKeys();
enhance(document);
enhanceLive();
enhanceLinks();
onPage(enhance);
document.documentElement.dataset.ready = "yes";
