/* logarithm.h - without the mathematical library, which every start would load, and which need
 * not agree with another machine's to the last digit */
#ifndef SUPPORT_LOGARITHM_H
#define SUPPORT_LOGARITHM_H

/* Returns the natural logarithm of a number between 0 and 1, neither of them included. */
double logarithm(double number);

#endif
