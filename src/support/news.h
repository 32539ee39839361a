/* news.h - something that may happen often, and is told now and then */
#ifndef SUPPORT_NEWS_H
#define SUPPORT_NEWS_H

#include <stdbool.h>
#include <stdint.h>

/* Initialize with zeros. */
struct news {
	bool told;
	uint64_t told_ms;
};

/* Tells whether what happens now is to be told: at most once a second. */
bool news_due(struct news *news, uint64_t now_ms);

#endif
