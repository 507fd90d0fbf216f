// What a supervisor reads where an alert is named: what happened on the call, in two or three words, and never
// how somebody is or feels.
// A rule that has no name here (one of your own) is spelled from its id: `interrupt.agent` is "interrupt agent".

const NAMES = {
  "abuse.boundary": "abusive words", "abuse.end": "abuse goes on", "acw.recover": "hard call done",
  "agent.disrespect": "disrespectful words", "agent.distracted": "away from the call", "agent.flat_tone": "flat voice",
  "agent.jumping_in": "agent jumps in", "agent.monologue": "agent monologue", "agent.raised_voice": "agent's voice raised",
  "agent.too_fast": "agent speaks fast", "apology.excess": "many apologies", "apology.missing": "no apology yet",
  "argue.loop": "going in circles", "calm.credit": "calmer now", "caller.confused": "not understood",
  "caller.escalation": "asks for a manager", "caller.miscommunication": "told otherwise before",
  "caller.not_heard": "caller not heard", "caller.ramble": "long caller turn", "caller.stonewall": "short answers",
  "caller.upsetting": "upsetting event", "close.confirm": "not confirmed yet", "close.feedback": "no feedback asked",
  "close.followup": "no call-back time", "close.open_items": "matters left open", "close.rushing": "closing too soon",
  "context.busy": "caller is busy", deadair: "dead air", difficulty: "difficult call", "empathy.canned": "canned empathy",
  "empathy.missing": "no empathy yet", "empathy.order": "fix before feeling", "escalate.no_why": "transfer without why",
  "escalate.warm": "cold transfer", "expect.no_steps": "no next steps", "expect.no_when": "promise without date",
  "expect.overpromise": "promises too much", "focus.drift": "off the matter", "hold.checkin": "long hold",
  "hold.no_reason": "hold without reason", "hold.often": "held often", "interrupt.agent": "agent interrupts",
  "interrupt.story": "story cut off", "lang.ally": "you against us", "lang.blame": "blaming words",
  "lang.defensive": "defensive words", "lang.jargon": "jargon", "lang.judgement": "judging words",
  "lang.negative": "negative words", "listen.no_playback": "nothing played back", "listen.silent": "no sign of listening",
  "loop.stuck": "stuck", "notes.live": "worth noting", "open.good_time": "time not asked", "pre.brief": "a story before",
  "pre.reset": "hard call before", "pre.risky_outbound": "risky call", "prep.fumble": "looking things up",
  "question.too_early": "asked too early", "repeat.caller": "caller repeats", "repeat.reask": "asked again",
  "score.empathy_rate": "empathy rate", "score.handle_time": "long call", "score.mood_shift": "mood shift",
  "solve.choice": "no choice given", "solve.generic": "generic answer", "solve.none_yet": "no solution yet",
  "spiral.mirroring": "both voices climb", "talk.share": "agent talks most", "thanks.missing": "no thanks yet",
  "thanks.missing.closing": "no thanks at the end", "vent.hold": "letting off steam", "vent.summarise": "steam let off",
  "wellbeing.break": "three hard calls", "ask.more": "little asked",
};

/** A rule's or measure's id as words. */
export const spelled = (id) => id.replace(/[._]+/g, " ");

/** What an alert of this rule is called. */
export const named = (rule) => NAMES[rule] ?? spelled(rule);

/** The rules that have a name. */
export const KNOWN = Object.keys(NAMES);
