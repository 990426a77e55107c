// desired: what is seen and judged in, the objects that shall be there out, whole and in the order in which they are needed. Pure:
// the same in gives the same out, byte for byte, so that applying it again changes nothing.
export { cachePlan } from "./cache.ts";
export { poolPlan } from "./pool-plan.ts";
export { poolTemplate } from "./pool-template.ts";
export { servicePlan } from "./service.ts";
