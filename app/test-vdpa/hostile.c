#include "hostile.h"
void hostile_list(void){}
int hostile_run(const struct hostile_conf *conf){return -1;}
