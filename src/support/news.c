#include "news.h"

#define INTERVAL_MS 1000

bool news_due(struct news *news, uint64_t now_ms)
{
	if (news->told && now_ms - news->told_ms < INTERVAL_MS)
		return false;
	news->told = true;
	news->told_ms = now_ms;
	return true;
}
