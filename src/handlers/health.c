#include "health.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct entry {
	struct health health;
	TAILQ_ENTRY(entry) link;
	struct health_book *book;
	struct adopt_address address;
	unsigned references;
	char text[]; /* health.text */
};

struct health_book {
	pthread_mutex_t lock; /* over the list and all references */
	TAILQ_HEAD(, entry) entries;
	bool closed;
};

int health_book_new(struct health_book **ret)
{
	struct health_book *book = calloc(1, sizeof *book);
	int error;

	if (!book)
		return -ENOMEM;
	error = -pthread_mutex_init(&book->lock, NULL);
	if (error < 0) {
		free(book);
		return error;
	}
	TAILQ_INIT(&book->entries);
	*ret = book;
	return 0;
}

/* Unlocks a book, and frees it where nobody can come for it any more. */
static void leave(struct health_book *book)
{
	bool over = book->closed && TAILQ_EMPTY(&book->entries);

	pthread_mutex_unlock(&book->lock);
	if (!over)
		return;
	pthread_mutex_destroy(&book->lock);
	free(book);
}

void health_book_close(struct health_book **ret)
{
	struct health_book *book = *ret;

	*ret = NULL;
	if (!book)
		return;
	pthread_mutex_lock(&book->lock);
	book->closed = true;
	leave(book);
}

static struct entry *find(const struct health_book *book, const struct adopt_address *address,
			  int type)
{
	struct entry *entry;

	TAILQ_FOREACH (entry, &book->entries, link)
		if (entry->health.type == type && adopt_address_equal(&entry->address, address))
			return entry;
	return NULL;
}

static struct entry *entry_new(struct health_book *book, const struct adopt_address *address,
			       int type, const char *name)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];
	size_t size = strlen(adopt_address_format(address, text, sizeof text)) + 1;
	struct entry *entry = calloc(1, sizeof *entry + size);

	if (!entry)
		return NULL;
	memcpy(entry->text, text, size);
	entry->health.text = entry->text;
	entry->health.name = name;
	entry->health.type = type;
	entry->book = book;
	entry->address = *address;
	TAILQ_INSERT_TAIL(&book->entries, entry, link);
	return entry;
}

struct health *health_take(struct health_book *book, const struct adopt_address *address, int type,
			   const char *name)
{
	struct entry *entry;

	pthread_mutex_lock(&book->lock);
	entry = find(book, address, type);
	if (!entry)
		entry = entry_new(book, address, type, name);
	if (entry)
		entry->references++;
	pthread_mutex_unlock(&book->lock);
	return entry ? &entry->health : NULL;
}

void health_each(struct health_book *book, void (*tell)(void *context, const struct health *health),
		 void *context)
{
	const struct entry *entry;

	pthread_mutex_lock(&book->lock);
	TAILQ_FOREACH (entry, &book->entries, link)
		tell(context, &entry->health);
	pthread_mutex_unlock(&book->lock);
}

void health_give_back(struct health **health)
{
	struct entry *entry = (struct entry *)*health;
	struct health_book *book;

	*health = NULL;
	if (!entry)
		return;
	book = entry->book;
	pthread_mutex_lock(&book->lock);
	if (--entry->references == 0) {
		TAILQ_REMOVE(&book->entries, entry, link);
		free(entry);
	}
	leave(book);
}
