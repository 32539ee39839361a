/* log_capture.h - what the process logs, for a test to look at */
#ifndef UNIT_LOG_CAPTURE_H
#define UNIT_LOG_CAPTURE_H

/* Begins to capture what is written to descriptor 2, and has everything logged. For the rest
 * of the test's process. */
void capture_log(void);

/* Returns everything so far: a string that the next call replaces. */
const char *captured_log(void);

/* Returns how often a text is in it. */
unsigned captured_count(const char *text);

#endif
