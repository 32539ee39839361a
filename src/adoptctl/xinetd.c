#include "xinetd.h"

#include "xinetd_files.h"
#include "xinetd_translate.h"

#include <errno.h>
#include <string.h>

static const char *id_of(struct xinetd_entry *entry)
{
	const struct xinetd_values *id = xinetd_entry_find(entry, NULL, XINETD_ID);

	return id ? id->words.items[0] : entry->name;
}

/* What `disable` of an entry, and `enabled` and `disabled` of the defaults, have to say. */
static bool is_disabled(struct xinetd_entry *entry, struct xinetd_entry *defaults)
{
	const struct xinetd_values *disable = xinetd_entry_find(entry, NULL, XINETD_DISABLE);
	const struct xinetd_values *flags = xinetd_entry_find(entry, NULL, XINETD_FLAGS);
	const struct xinetd_values *enabled = xinetd_entry_find(defaults, NULL, XINETD_ENABLED);
	const struct xinetd_values *disabled = xinetd_entry_find(defaults, NULL, XINETD_DISABLED);

	/* What is neither yes nor no disables it, too. */
	return (disable && strcmp(disable->words.items[0], "no") != 0) ||
	       (flags && words_have(&flags->words, "DISABLE")) ||
	       (enabled && !words_have(&enabled->words, id_of(entry))) ||
	       (disabled && words_have(&disabled->words, id_of(entry)));
}

/* xinetd as Debian and others build it has libwrap judge each client. */
static bool is_wrapped(struct xinetd_entry *entry)
{
	const struct xinetd_values *flags = xinetd_entry_find(entry, NULL, XINETD_FLAGS);

	return !flags || !words_have(&flags->words, "NOLIBWRAP");
}

static int add_service(struct xinetd_files *files, struct xinetd_entry *entry,
		       const struct names *names, struct services *services)
{
	struct service *service = NULL;
	int error = xinetd_translate(entry, files->defaults, names, files->faults, &service,
				     &services->access_log);

	if (error == 0)
		error = services_add(services, &service);
	service_free(&service);
	if (error == -E2BIG)
		fault_add(files->faults, FAULT_ERROR, entry->file, entry->line,
			  "the service \"%s\" is left out: it says too much, or there are too many",
			  entry->name);
	return error == -ENOMEM ? error : 0;
}

static int add_services(struct xinetd_files *files, const struct names *names,
			struct services *services)
{
	bool told = false;
	int error = 0;

	for (size_t i = 0; error == 0 && i < files->count; i++) {
		struct xinetd_entry *entry = files->services[i];

		if (is_disabled(entry, files->defaults)) {
			error = words_add(&services->disabled, id_of(entry));
			/* It is for information only. */
			error = error == -E2BIG ? 0 : error;
			continue;
		}
		error = add_service(files, entry, names, services);
		if (!told && is_wrapped(entry))
			fault_add(files->faults, FAULT_WARNING, entry->file, entry->line,
				  "libwrap: hosts.allow and hosts.deny are not asked for any "
				  "service; see allow and deny");
		told = told || is_wrapped(entry);
	}
	return error;
}

int xinetd_read(const char *text, size_t length, const char *file, const struct names *names,
		struct faults *faults, struct services *services)
{
	struct xinetd_files *files = NULL;
	int error = xinetd_files_new(faults, &files);

	if (error == 0)
		error = xinetd_files_read(files, text, length, file);
	if (error == 0)
		error = add_services(files, names, services);
	xinetd_files_free(&files);
	return error;
}
