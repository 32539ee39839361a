#include "logarithm.h"

#include <math.h>

/* From its series in (x - 1) / (x + 1). */
double logarithm(double number)
{
	int exponent;
	double part = frexp(number, &exponent);
	double base = (part - 1) / (part + 1), sum = 0;

	/* The part is at least 1/2, and the base squared at most 1/9. */
	for (int power = 31; power > 0; power -= 2)
		sum = sum * base * base + 1.0 / power;
	return 2 * base * sum + exponent * 0.69314718055994530942;
}
