#include "execute/operator.hpp"

#include "execute/query_runner.hpp"
#include "execute/reading_runner.hpp"

namespace weir::execute {

std::unique_ptr<Operator> make_operator(const plan::Plan& plan, const plan::QueryPlan& query, Backend& backend,
                                        const batch::KeyDictionary& keys) {
  if (query.readings) {
    return std::make_unique<ReadingRunner>(query, keys);
  }
  return std::make_unique<QueryRunner>(plan, query, backend, keys);
}

}  // namespace weir::execute
