#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct fault {
	enum fault_severity severity;
	char *file; /* NULL where no file is to blame */
	int line;
	size_t file_rank; /* of its file among those seen, the order of a report */
	size_t sequence;
	char *message;
};

struct faults {
	struct fault *items;
	size_t count;
	size_t capacity;
	size_t counts[FAULT_ERROR + 1]; /* those included that found no memory */
};

int faults_new(struct faults **ret)
{
	struct faults *faults = calloc(1, sizeof *faults);

	if (!faults)
		return -ENOMEM;
	*ret = faults;
	return 0;
}

void faults_free(struct faults **faults)
{
	if (!*faults)
		return;
	for (size_t i = 0; i < (*faults)->count; i++) {
		free((*faults)->items[i].file);
		free((*faults)->items[i].message);
	}
	free((*faults)->items);
	free(*faults);
	*faults = NULL;
}

static bool same_file(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static size_t rank_file(const struct faults *faults, const char *file)
{
	size_t next = 0;

	/* From the latest on: most often it is of the same file. */
	for (size_t i = faults->count; i-- > 0;) {
		if (same_file(faults->items[i].file, file))
			return faults->items[i].file_rank;
		if (faults->items[i].file_rank >= next)
			next = faults->items[i].file_rank + 1;
	}
	return next;
}

static struct fault *new_item(struct faults *faults)
{
	if (faults->count == faults->capacity) {
		size_t capacity = faults->capacity ? 2 * faults->capacity : 8;
		struct fault *items = realloc(faults->items, capacity * sizeof *items);

		if (!items)
			return NULL;
		faults->items = items;
		faults->capacity = capacity;
	}
	return &faults->items[faults->count];
}

__attribute__((format(printf, 1, 0))) static char *format_message(const char *format, va_list args)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	vfprintf(stream, format, args);
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

void fault_add(struct faults *faults, enum fault_severity severity, const char *file, int line,
	       const char *format, ...)
{
	struct fault *fault = new_item(faults);
	struct fault filled = {.severity = severity, .line = line, .sequence = faults->count};
	va_list args;

	faults->counts[severity]++;
	if (!fault)
		return;
	va_start(args, format);
	filled.message = format_message(format, args);
	va_end(args);
	filled.file = file ? strdup(file) : NULL;
	if (!filled.message || (file && !filled.file)) {
		free(filled.message);
		free(filled.file);
		return;
	}
	filled.file_rank = rank_file(faults, file);
	*fault = filled;
	faults->count++;
}

size_t faults_count(const struct faults *faults, enum fault_severity severity)
{
	return faults->counts[severity];
}

bool faults_acceptable(const struct faults *faults, bool strict)
{
	return faults->counts[FAULT_ERROR] == 0 && !(strict && faults->counts[FAULT_WARNING] > 0);
}

static int compare(const void *left, const void *right)
{
	const struct fault *a = *(const struct fault *const *)left;
	const struct fault *b = *(const struct fault *const *)right;

	if (a->file_rank != b->file_rank)
		return a->file_rank < b->file_rank ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* What a configuration says may stand in a message: it must stay one line. */
static char *format_line(const struct fault *fault)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	if (fault->file)
		fprintf(stream, "%s:", fault->file);
	if (fault->file && fault->line > 0)
		fprintf(stream, "%d:", fault->line);
	if (fault->file)
		fputc(' ', stream);
	if (fault->severity == FAULT_WARNING)
		fputs("warning: ", stream);
	for (const char *at = fault->message; *at; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte < 0x20 || byte == 0x7f)
			fprintf(stream, "\\x%02X", byte);
		else
			fputc(byte, stream);
	}
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

void faults_report(const struct faults *faults,
		   void (*report)(void *context, enum fault_severity severity, const char *text),
		   void *context)
{
	const struct fault **order = calloc(faults->count + 1, sizeof *order);

	for (size_t i = 0; order && i < faults->count; i++)
		order[i] = &faults->items[i];
	if (order)
		qsort(order, faults->count, sizeof *order, compare);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = order ? order[i] : &faults->items[i];
		char *text = format_line(fault);

		report(context, fault->severity, text ? text : fault->message);
		free(text);
	}
	free(order);
	if (faults->count < faults->counts[FAULT_WARNING] + faults->counts[FAULT_ERROR])
		report(context, FAULT_ERROR, "not all faults are told: Cannot allocate memory");
}

static void print_one(void *context, enum fault_severity severity, const char *text)
{
	(void)severity;
	fprintf(context, "%s\n", text);
}

void faults_print(const struct faults *faults, FILE *stream)
{
	faults_report(faults, print_one, stream);
}
