/* verdict.h - what the bytes so far say */
#ifndef SUPPORT_VERDICT_H
#define SUPPORT_VERDICT_H

/*
 * Whoever judges the first bytes of a stream (never NULL, even if there are none)
 * returns one of these, and keeps to three rules, so that its caller waits without
 * spinning and never too long:
 *
 * - It is a pure function of the bytes, and NO and MATCH are final: whatever
 *   bytes follow, the verdict stays.
 * - With MORE comes `ret_needed`, which exceeds the length given: how many bytes
 *   there must be in total before another verdict is possible. After NO and
 *   MATCH `ret_needed` is untouched.
 * - It has a bound, documented with it, beyond which it asks for nothing.
 */
enum verdict {
	VERDICT_NO,
	VERDICT_MATCH,
	VERDICT_MORE,
};

#endif
