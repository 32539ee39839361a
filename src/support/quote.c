#include "quote.h"

/* Control bytes are three octal digits: a shorter escape could run into a digit
 * behind it. */
void quote_print(const char *text, FILE *stream)
{
	fputc('"', stream);
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\' || (byte == '$' && text[1] == '{'))
			fprintf(stream, "\\%c", byte);
		else if (byte == '\n')
			fputs("\\n", stream);
		else if (byte < 0x20 || byte == 0x7f)
			fprintf(stream, "\\%03o", byte);
		else
			fputc(byte, stream);
	}
	fputc('"', stream);
}
