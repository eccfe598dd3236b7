# What make_estimation.R works with: JSON that loses no digit, Newton's method with exact second derivatives for any
# likelihood written by row, exact profile and score intervals, averages by the delta method. Base R and numDeriv only.

# ---- JSON: the shortest decimals that read back as the same double; `rows12` marks figures kept to 12 digits ----------
shortest <- function(x, most = 17) {
  out <- sprintf("%.*g", min(15, most), x)
  for (d in c(16, 17)) if (d <= most) {
    off <- is.finite(x)
    off[off] <- as.numeric(out[off]) != x[off]
    out[off] <- sprintf("%.*g", d, x[off])
  }
  out[!is.finite(x)] <- "null"
  out
}
rows12 <- function(x) structure(x, rows12 = TRUE)
vec <- function(x) structure(unname(x), vec = TRUE)                       # an array, be it of length one
quoted <- function(x) ifelse(is.na(x), "null", paste0('"', gsub('"', '\\\\"', gsub("\\\\", "\\\\\\\\", x)), '"'))
json <- function(x, pad = "") {
  if (is.null(x)) return("null")
  if (is.data.frame(x)) x <- lapply(as.list(x), vec)
  if (is.factor(x)) x <- vec(as.character(x))
  if (is.list(x)) {
    if (length(x) == 0) return("{}")
    deep <- paste0(pad, " ")
    inner <- vapply(x, json, "", pad = deep)
    if (is.null(names(x))) return(paste0("[", paste(inner, collapse = ", "), "]"))
    return(paste0("{\n", paste0(deep, quoted(names(x)), ": ", inner, collapse = ",\n"), "\n", pad, "}"))
  }
  most <- if (isTRUE(attr(x, "rows12"))) 12 else 17
  if (length(dim(x)) == 2) {
    rows <- vapply(seq_len(nrow(x)), function(i) paste0("[", paste(shortest(as.numeric(x[i, ]), most), collapse = ", "), "]"), "")
    return(paste0("[", paste(rows, collapse = ", "), "]"))
  }
  text <- if (is.character(x)) quoted(x) else if (is.logical(x)) ifelse(is.na(x), "null", tolower(x)) else shortest(as.numeric(x), most)
  if (length(text) == 1 && is.null(names(x)) && is.null(dim(x)) && !isTRUE(attr(x, "vec")) && most == 17) return(text)
  paste0("[", paste(text, collapse = ", "), "]")
}

# ---- Newton's method -------------------------------------------------------------------------------------------------
# A likelihood is a list of pieces, each list(e = expression of one row in the predictors and the data, on = rows).
# A predictor is X %*% beta + offset; D() of R differentiates exactly. `weights` multiply the rows.
ml <- function(pieces, X, theta, data = list(), offset = list(), weights = 1, tie = NULL) {
  n <- nrow(X[[1]])
  k <- vapply(X, ncol, 1L)
  ends <- cumsum(k)
  at <- Map(function(a, b) seq(a, b), ends - k + 1, ends)
  names(at) <- names(X)
  weights <- rep_len(weights, n)
  made <- lapply(pieces, function(p) list(on = if (is.null(p$on)) seq_len(n) else which(p$on),
    e = p$e, d = deriv(p$e, names(X), hessian = TRUE)))
  eta <- function(theta) Map(function(x, a, nm) drop(x %*% theta[a]) + (if (is.null(offset[[nm]])) 0 else offset[[nm]]), X, at, names(X))
  where <- function(theta, on) c(lapply(eta(theta), `[`, on), lapply(data, function(v) if (length(v) == n) v[on] else v))
  value <- function(theta) sum(vapply(made, function(m) {
    v <- eval(m$e, where(theta, m$on))
    sum(weights[m$on] * v)
  }, 1))
  parts <- function(theta) {
    l <- numeric(n); s <- matrix(0, n, sum(k)); H <- matrix(0, sum(k), sum(k))
    for (m in made) if (length(m$on)) {
      v <- eval(m$d, where(theta, m$on))
      g <- attr(v, "gradient"); h <- attr(v, "hessian")
      l[m$on] <- l[m$on] + v
      for (i in seq_along(X)) {
        Xi <- X[[i]][m$on, , drop = FALSE]
        s[m$on, at[[i]]] <- s[m$on, at[[i]]] + Xi * g[, i]
        for (j in seq_along(X)) H[at[[i]], at[[j]]] <- H[at[[i]], at[[j]]] +
          crossprod(Xi, X[[j]][m$on, , drop = FALSE] * (weights[m$on] * h[, i, j]))
      }
    }
    list(rows = l, loglik = sum(weights * l), scores = s, H = H)
  }
  climb <- function(theta, free = seq_along(theta), most = 200) {
    last <- Inf
    for (i in seq_len(most)) {
      p <- suppressWarnings(parts(theta))
      g <- colSums(weights * p$scores)[free]
      step <- tryCatch(solve(-p$H[free, free, drop = FALSE], g), error = function(e) g / max(1, abs(g)))
      if (sum(step * g) < 0) step <- g / max(1, sqrt(sum(g^2)))
      scale <- 1
      move <- function(s) { t <- theta; t[free] <- t[free] + s * step; t }
      repeat {                                                            # halve while it falls
        v <- suppressWarnings(value(move(scale)))
        if (is.finite(v) && v >= p$loglik - 1e-9 * abs(p$loglik)) break
        scale <- scale / 2
        if (scale < 1e-12) break
      }
      theta <- move(scale)
      size <- max(abs(scale * step) / pmax(abs(theta[free]), 1e-3))
      if (size < 1e-15 || (i > 4 && size < 1e-11 && size >= last)) break
      last <- size
    }
    theta
  }
  theta <- climb(theta)
  p <- parts(theta)
  labels <- unlist(Map(function(x, nm) paste0(nm, ":", if (is.null(colnames(x))) seq_len(ncol(x)) else colnames(x)), X, names(X)))
  V <- solve(-p$H)
  V <- (V + t(V)) / 2
  step <- drop(V %*% colSums(weights * p$scores))
  profile_at <- function(j, b, from) {
    from <- from + (b - from[j]) * V[, j] / V[j, j]                       # the others go along, as a quadratic's would
    t <- climb(from, setdiff(seq_along(theta), j))
    list(theta = t, loglik = value(t))
  }
  ends_of <- function(j, z2) sapply(c(-1, 1), function(side) {
    near <- theta
    f <- function(b) { got <- suppressWarnings(profile_at(j, b, near)); near <<- got$theta; 2 * (p$loglik - got$loglik) - z2 }
    w <- sqrt(V[j, j]) * qnorm(0.975)
    lo <- theta[j] + side * 0.3 * w; hi <- theta[j] + side * 1.2 * w
    for (i in 1:12) if (f(hi) > 0) break else { lo <- hi; hi <- hi + side * 0.6 * w }
    # an end that is nowhere (the likelihood levels off before it has fallen enough) is null
    tryCatch(uniroot(f, sort(c(lo, hi)), tol = 1e-13 * max(1, abs(theta[j])), maxiter = 200)$root, error = function(e) NA)
  })
  list(coef = setNames(theta, labels), vcov = V, loglik = p$loglik, rows = p$rows, scores = p$scores, H = p$H,
    opg = tryCatch(solve(crossprod(sqrt(weights) * p$scores)), error = function(e) NULL),
    sandwich = V %*% crossprod(weights * p$scores) %*% V, digits = floor(-log10(max(abs(step) / abs(theta), 1e-16))),
    profile = function(z2 = qchisq(0.95, 1)) t(sapply(seq_along(theta), ends_of, z2 = z2)), weights = weights)
}
# the entries of a case that every likelihood has
entries <- function(m, profile = TRUE, cluster = NULL, names = NULL) {
  se <- sqrt(diag(m$vcov))
  out <- list(names = if (is.null(names)) names(m$coef) else names, coef = vec(m$coef), se = vec(se), vcov = m$vcov, loglik = m$loglik,
    npar = length(m$coef), nobs = sum(m$weights), aic = 2 * length(m$coef) - 2 * m$loglik,
    bic = log(sum(m$weights)) * length(m$coef) - 2 * m$loglik, vcov_opg = m$opg, vcov_sandwich = m$sandwich,
    loglik_rows = rows12(vec(m$rows)))
  if (!is.null(cluster)) {
    s <- rowsum(m$weights * m$scores, cluster)
    out$vcov_cluster_HC0 <- m$vcov %*% crossprod(s) %*% m$vcov
    out$clusters <- nrow(s)
  }
  if (profile) out$profile <- m$profile()
  out
}
agreement <- function(ours, theirs) signif(max(abs(as.numeric(ours) - as.numeric(theirs)) / pmax(abs(as.numeric(ours)), 1e-8)), 2)

# ---- generalized linear models ---------------------------------------------------------------------------------------
inverse_links <- list(logit = quote(1 / (1 + exp(-e))), probit = quote(pnorm(e)), cloglog = quote(1 - exp(-exp(e))),
  cauchit = quote(0.5 + atan(e) / pi), log = quote(exp(e)), identity = quote(e), sqrt = quote(e^2), inverse = quote(1 / e),
  `1/mu^2` = quote(e^(-0.5)))
variances <- list(gaussian = quote(mu^0), binomial = quote(mu * (1 - mu)), poisson = quote(mu), Gamma = quote(mu^2),
  inverse.gaussian = quote(mu^3))
# the information of glm's mean: observed, by symbolic derivatives of link and variance
observed_information <- function(f, family, link, phi, variance = variances[[family]], inverse = inverse_links[[link]]) {
  m1 <- D(inverse, "e"); m2 <- D(m1, "e"); V1 <- D(variance, "mu")
  here <- list(e = f$linear.predictors, mu = f$fitted.values)
  on <- function(e) rep_len(eval(e, here), length(here$e))
  V <- on(variance); d1 <- on(m1); d2 <- on(m2); v1 <- on(V1)
  w <- f$prior.weights / phi * (d1^2 / V - (f$y - here$mu) * (d2 / V - v1 * d1^2 / V^2))
  crossprod(model.matrix(f) * w, model.matrix(f))
}
# glm's standard errors come from the weights of the last step but one: started from its own end, until nothing moves
again <- function(f) {
  last <- Inf
  for (i in 1:100) {
    g <- update(f, start = coef(f))
    moved <- max(abs(coef(g) - coef(f)) / pmax(abs(coef(g)), 1e-3))
    f <- g
    if (moved < 1e-15 || (moved < 1e-13 && moved >= last)) break
    last <- moved
  }
  f
}

# exact ends of the profile likelihood and of Rao's score interval: coefficient j is held by an offset
glm_intervals <- function(f, j, phi = 1) {
  X <- model.matrix(f); b <- coef(f); off <- if (is.null(f$offset)) 0 else f$offset
  z2 <- qchisq(0.95, 1); se <- sqrt(vcov(f)[j, j])
  held <- function(t) {
    start <- b[-j]
    if (ncol(X) == 1) return(list(dev = NA, f = NULL))
    for (i in 1:3) {
      g <- suppressWarnings(glm.fit(X[, -j, drop = FALSE], f$y, weights = f$prior.weights, start = start,
        offset = off + X[, j] * t, family = f$family, control = tight, intercept = FALSE))
      start <- g$coefficients
    }
    g
  }
  lr <- function(t) (held(t)$deviance - deviance(f)) / phi - z2
  rao <- function(t) {
    g <- held(t); eta <- g$linear.predictors; d <- f$family$mu.eta(eta); V <- f$family$variance(g$fitted.values)
    U <- sum(f$prior.weights * (f$y - g$fitted.values) * d / V * X[, j]) / phi
    I <- crossprod(X * (f$prior.weights * d^2 / V), X) / phi
    U^2 * solve(I)[j, j] - z2
  }
  ends <- function(h) sapply(c(-1, 1), function(side) {
    lo <- b[j] + side * 0.5 * se; hi <- b[j] + side * 1.9 * se
    for (i in 1:20) if (h(hi) > 0) break else { lo <- hi; hi <- hi + side * 0.5 * se }
    uniroot(h, sort(c(lo, hi)), tol = 1e-13 * max(1, abs(b[j])), maxiter = 200)$root
  })
  list(profile = ends(lr), score = ends(rao))
}

# averages of a function of the coefficients and their standard errors by the delta method (numDeriv: 9 digits or more)
averaged <- function(b, V, make) {
  J <- numDeriv::jacobian(make, b)
  est <- make(b); se <- sqrt(diag(J %*% V %*% t(J)))
  list(estimate = vec(est), se = vec(se), low = vec(est - qnorm(0.975) * se), high = vec(est + qnorm(0.975) * se))
}
design_of <- function(f, data) {
  t <- delete.response(terms(f))
  frame <- model.frame(t, data, xlev = f$xlevels)
  list(X = model.matrix(t, frame, contrasts.arg = f$contrasts), offset = if (is.null(model.offset(frame))) 0 else model.offset(frame))
}
averages <- function(f, data, slopes, factors, V = vcov(f)) {
  inverse <- f$family$linkinv; d <- f$family$mu.eta
  mean_at <- function(data) { a <- design_of(f, data); function(b) mean(inverse(drop(a$X %*% b) + a$offset)) }
  h <- 1e-3                                                       # for slopes: the design is differentiated by central differences
  slope_of <- function(x) {
    lift <- function(by) { moved <- data; moved[[x]] <- moved[[x]] + by; design_of(f, moved)$X }
    dX <- (8 * (lift(h) - lift(-h)) - (lift(2 * h) - lift(-2 * h))) / (12 * h)
    dX[abs(dX) < 1e-9] <- 0                                       # exact for what is linear in x, as here
    dX <- round(dX, 9)
    a <- design_of(f, data)
    function(b) mean(d(drop(a$X %*% b) + a$offset) * drop(dX %*% b))
  }
  out <- list(method = "mean over the rows, delta method, no weights in the mean")
  if (length(slopes)) {
    each <- lapply(slopes, slope_of)
    out$slopes <- c(list(terms = vec(slopes)), averaged(coef(f), V, function(b) sapply(each, function(g) g(b))))
  }
  for (g in factors) {
    levels <- f$xlevels[[g]]
    set <- lapply(levels, function(l) { moved <- data; moved[[g]] <- factor(l, levels); mean_at(moved) })
    means <- function(b) sapply(set, function(s) s(b))
    out$means[[g]] <- c(list(levels = levels), averaged(coef(f), V, means))
    out$contrasts[[g]] <- c(list(terms = vec(paste(levels[-1], "-", levels[1]))), averaged(coef(f), V, function(b) means(b)[-1] - means(b)[1]))
  }
  out
}
