/** Ends what a function started: a watch, a timer, a listener. Safe to call twice. */
export type Stop = () => void;
